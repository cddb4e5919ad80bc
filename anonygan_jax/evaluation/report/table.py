"""Figures as Markdown: the published table, all figures, figures by subgroup."""

import math
from collections.abc import Set

from anonygan_jax.evaluation.metrics import gaze_kept
from anonygan_jax.evaluation.metrics.beside import OVER_FLOOR
from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.evaluation.metrics.metric import DEGREES, NUMBER, PERCENT, Figure
from anonygan_jax.evaluation.metrics.registry import FIGURES
from anonygan_jax.evaluation.metrics.row import Row
from anonygan_jax.evaluation.metrics.self_reidentification import own_key
from anonygan_jax.recognition.table import MOBILEFACENET

# Columns of the published table, and the keys of our figures.
PUBLISHED_COLUMNS = {
    "FID": "frechet_fid_clean",
    "det. dlib": "detected_dlib",
    "det. FaceNet": "detected_mtcnn",
    "re-id CASIA": "reid_self_facenet_casia",
    "re-id VGG": "reid_self_facenet_vggface2",
    "pose": "pose_l1",
}
# Dall'Asen et al. 2021, table 1: CelebA, their networks and photos, no intervals.
PUBLISHED_ROWS = {
    "blurring": ("95.13", "4%", "4%", "0.07%", "0.02%", ""),
    "pixelation": ("59.82", "1%", "28%", "0.28%", "0.12%", ""),
    "CIAGAN": ("37.94", "96%", "100%", "1.61%", "0.51%", "1.44"),
    "AnonyGAN-CM-LA (68)": ("43.99", "100%", "100%", "2.63%", "0.58%", "0.16"),
    "AnonyGAN-CM-LA (29)": ("30.24", "100%", "100%", "2.84%", "0.66%", "0.16"),
    "AnonyGAN-CM (68)": ("26.12", "100%", "100%", "2.70%", "0.91%", "0.16"),
    "AnonyGAN (68)": ("22.53", "100%", "100%", "3.52%", "1.60%", "0.16"),
}
BY_SUBGROUP = (
    *("detected_dlib", own_key(MOBILEFACENET), own_key(MOBILEFACENET) + OVER_FLOOR),
    *("pose_l2", gaze_kept.KEY, "mouth", "emotion"),
)
WHY_EMPTY = {
    "FID": "needs the Inception of FID: --inception-weights",
    "det. FaceNet": "needs MTCNN: pip install 'anonygan_jax[evaluation]'",
    "re-id CASIA": "needs FaceNet's weights: --facenet-casia",
    "re-id VGG": "needs FaceNet's weights: --facenet-vggface2",
}


def written(figure: Figure, estimate: Estimate) -> str:
    """Returns an estimate as text, "97.3% [96.1, 98.1]" or "0.034 [0.033, 0.035]"."""
    if math.isnan(estimate.value):
        return ""
    factor = 100 if figure.form == PERCENT else 1
    unit = {PERCENT: "%", NUMBER: "", DEGREES: "°"}[figure.form]
    numbers = (estimate.value, estimate.low, estimate.high)
    value, low, high = (f"{factor * x:.{figure.digits}f}" for x in numbers)
    text = f"{value}{unit}"
    if not math.isnan(estimate.low):
        text += f" [{low}, {high}]"
    if estimate.deviation is not None:
        text += f" ± {factor * estimate.deviation:.{figure.digits}f}"
    return text


def published_table(rows: list[Row]) -> str:
    """Returns the paper's table, with our rows above its own."""
    lines = [
        "| method | " + " | ".join(PUBLISHED_COLUMNS) + " |",
        "|---" * (len(PUBLISHED_COLUMNS) + 1) + "|",
    ]
    reasons: list[str] = []
    lines += [_published_line(row, reasons) for row in rows]
    for title, published in PUBLISHED_ROWS.items():
        cells = [f"*{title}, published*", *(f"*{x}*" if x else "" for x in published)]
        lines.append("| " + " | ".join(cells) + " |")
    notes = [f"[{number}] {reason}.  " for number, reason in enumerate(reasons, 1)]
    return "\n".join([*lines, "", *notes, ""])


def _published_line(row: Row, reasons: list[str]) -> str:
    """One of our rows; an empty cell has the number of its reason, which is added."""
    cells = [row.title]
    for column, key in PUBLISHED_COLUMNS.items():
        text = cell(row.measures, key)
        if not text:
            reason = WHY_EMPTY.get(column, "no face was found in its results")
            reason = reason if row.measures else row.remarks[0]
            if reason not in reasons:
                reasons.append(reason)
            text = f"[{reasons.index(reason) + 1}]"
        cells.append(text)
    return "| " + " | ".join(cells) + " |"


def full_table(rows: list[Row], left_out: Set[str] = frozenset()) -> str:
    """Returns the table of all figures: a line each, a column for each row.

    Args:
      rows: of the report.
      left_out: keys of figures that other tables show.
    """
    lines = [
        "| | " + " | ".join(row.title for row in rows) + " |",
        "|---" * (len(rows) + 1) + "|",
    ]
    for key, figure in FIGURES.items():
        cells = [cell(row.measures, key) for row in rows]
        if any(cells) and key not in left_out:
            lines.append(f"| {figure.title} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def subgroup_tables(rows: list[Row]) -> str:
    """Returns a table for each figure: a line a subgroup, a column a method."""
    return "\n\n".join(
        _subgroup_table(key, rows)
        for key in BY_SUBGROUP
        if any(key in measures for row in rows for measures in row.subgroups.values())
    )


def _subgroup_table(key: str, rows: list[Row]) -> str:
    """The table of one figure; the number of faces is the first method's."""
    lines = [
        f"| {FIGURES[key].title} | faces | {' | '.join(row.title for row in rows)} |",
        "|---" * (len(rows) + 2) + "|",
    ]
    found = [row.subgroups for row in rows]
    for title in sorted(set().union(*found)):
        cells = [cell(measures.get(title, {}), key) for measures in found]
        counts = [m[title]["detected_dlib"].count for m in found if title in m]
        lines.append(f"| {title} | {counts[0]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(measures: dict[str, Estimate], key: str) -> str:
    """Returns one of some figures as text; "" where it is not measured."""
    return written(FIGURES[key], measures[key]) if key in measures else ""
