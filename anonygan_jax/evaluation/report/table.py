"""The figures as Markdown: the published table, then everything measured."""

import dataclasses
import math

from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.evaluation.metrics.row import Row

PERCENT, NUMBER, DEGREES = "percent", "number", "degrees"


@dataclasses.dataclass(frozen=True)
class Measure:
    """How a figure is called and written.

    Attributes:
      title: for people.
      form: PERCENT, NUMBER or DEGREES.
      digits: after the point.
    """

    title: str
    form: str = PERCENT
    digits: int = 1


RECOGNISERS = {
    "dlib": "dlib",
    "facenet_casia": "FaceNet (CASIA)",
    "facenet_vggface2": "FaceNet (VGGFace2)",
}
SPACES = {
    "fid_clean": "FID (clean-fid)",
    "fid_pytorch": "FID (pytorch-fid)",
    "efficientnet": "Frechet distance, EfficientNet-Lite0 on faces (not an FID)",
    "dlib": "Frechet distance, dlib's descriptor (not an FID)",
}


def _measures() -> dict[str, Measure]:
    """All figures in the order of the second table."""
    made: dict[str, Measure] = {}
    for key, title in SPACES.items():
        digits = 4 if key == "dlib" else 2
        made[f"frechet_{key}"] = Measure(title, NUMBER, digits)
        short = title.removeprefix("Frechet distance, ").removesuffix(" (not an FID)")
        made[f"kernel_{key}"] = Measure(f"KID's estimator, {short}", NUMBER, 4)
        made[f"precision_{key}"] = Measure(f"precision, {short}")
        made[f"recall_{key}"] = Measure(f"recall, {short}")
    made["detected_dlib"] = Measure("detected by dlib, photo doubled once")
    made["detected_mtcnn"] = Measure("detected by MTCNN")
    for key, title in RECOGNISERS.items():
        made[f"accuracy_{key}"] = Measure(f"{title}: verification accuracy")
        how = "distance under 0.6" if key == "dlib" else "same class"
        made[f"own_{key}"] = Measure(f"{title}: own original, {how}", digits=2)
        made[f"pairs_{key}"] = Measure(f"{title}: another photo, distance under 0.6")
        made[f"strict_{key}"] = Measure(f"{title}: another photo, FAR 0.001")
        made[f"rank_one_{key}"] = Measure(f"{title}: rank 1 among originals")
        made[f"parrot_{key}"] = Measure(f"{title}: rank 1 among results (parrot)")
        made[f"linked_{key}"] = Measure(
            f"{title}: two results of a person linked, FAR 0.001"
        )
    made["pose_l2"] = Measure("pose, L2 (the paper's text)", NUMBER, 4)
    made["pose_l1"] = Measure("pose, L1 (its release's table)", NUMBER, 4)
    for key in ("yaw", "pitch", "roll"):
        made[key] = Measure(f"{key} changed by", DEGREES)
    made["mouth"] = Measure("mouth openness changed by", NUMBER, 3)
    made["eyes"] = Measure("eye openness changed by", NUMBER, 3)
    made["emotion"] = Measure("emotion kept, by the classifier of fer")
    made["context"] = Measure("SSIM outside the face", NUMBER, 4)
    return made


MEASURES = _measures()
# The published table's columns; ANONYGAN.md of the paper's release has no other.
PUBLISHED_COLUMNS = {
    "FID": "frechet_fid_clean",
    "det. dlib": "detected_dlib",
    "det. FaceNet": "detected_mtcnn",
    "re-id CASIA": "own_facenet_casia",
    "re-id VGG": "own_facenet_vggface2",
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
BY_STRATUM = ("detected_dlib", "own_dlib", "pose_l2", "mouth", "emotion")
WHY_EMPTY = {
    "FID": "needs the Inception of FID: --inception-weights",
    "det. FaceNet": "needs MTCNN: pip install 'anonygan_jax[evaluation]'",
    "re-id CASIA": "needs FaceNet's weights: --facenet-casia",
    "re-id VGG": "needs FaceNet's weights: --facenet-vggface2",
}


def written(measure: Measure, estimate: Estimate, interval: bool = True) -> str:
    """Returns a figure, "97.3% [96.1, 98.1]" or "0.0340 [0.0333, 0.0347]"."""
    if math.isnan(estimate.value):
        return ""
    factor = 100 if measure.form == PERCENT else 1
    unit = {PERCENT: "%", NUMBER: "", DEGREES: "°"}[measure.form]
    numbers = (estimate.value, estimate.low, estimate.high)
    value, low, high = (f"{factor * x:.{measure.digits}f}" for x in numbers)
    text = f"{value}{unit}"
    if interval and not math.isnan(estimate.low):
        text += f" [{low}, {high}]"
    if interval and estimate.deviation is not None:
        text += f" ± {factor * estimate.deviation:.{measure.digits}f}"
    return text


def published_table(rows: list[Row]) -> str:
    """Returns the table of the paper with our rows above its own."""
    lines = [
        "| method | " + " | ".join(PUBLISHED_COLUMNS) + " |",
        "|---" * (len(PUBLISHED_COLUMNS) + 1) + "|",
    ]
    empty: list[str] = []
    for row in rows:
        cells = [row.title]
        for column, key in PUBLISHED_COLUMNS.items():
            text = _cell(row, key)
            reason = WHY_EMPTY.get(column, "no face was found in its results")
            if not text:
                reason = row.remarks[0] if not row.measures else reason
                if reason not in empty:
                    empty.append(reason)
                text = f"[{empty.index(reason) + 1}]"
            cells.append(text)
        lines.append("| " + " | ".join(cells) + " |")
    for title, published in PUBLISHED_ROWS.items():
        cells = [f"*{title}, published*", *(f"*{x}*" if x else "" for x in published)]
        lines.append("| " + " | ".join(cells) + " |")
    notes = [f"[{number}] {reason}.  " for number, reason in enumerate(empty, 1)]
    return "\n".join([*lines, "", *notes, ""])


def full_table(rows: list[Row]) -> str:
    """Returns every figure, a line each, a column a method."""
    lines = [
        "| | " + " | ".join(row.title for row in rows) + " |",
        "|---" * (len(rows) + 1) + "|",
    ]
    for key, measure in MEASURES.items():
        cells = [_cell(row, key) for row in rows]
        if any(cells):
            lines.append(f"| {measure.title} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def strata_tables(rows: list[Row]) -> str:
    """Returns a table for each figure: a line a stratum, a column a method."""
    return "\n\n".join(
        _strata_table(key, rows)
        for key in BY_STRATUM
        if any(key in measures for row in rows for measures in row.strata.values())
    )


def _strata_table(key: str, rows: list[Row]) -> str:
    """One figure; the number of faces is the first method's."""
    lines = [
        f"| {MEASURES[key].title} | faces | {' | '.join(row.title for row in rows)} |",
        "|---" * (len(rows) + 2) + "|",
    ]
    found = [row.strata for row in rows]
    for title in sorted(set().union(*found)):
        cells = [_written_in(measures.get(title, {}), key) for measures in found]
        counts = [m[title]["detected_dlib"].count for m in found if title in m]
        lines.append(f"| {title} | {counts[0]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(row: Row, key: str) -> str:
    """A figure of a row, or nothing."""
    return _written_in(row.measures, key)


def _written_in(measures: dict[str, Estimate], key: str) -> str:
    return written(MEASURES[key], measures[key]) if key in measures else ""
