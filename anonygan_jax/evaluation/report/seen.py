"""What others see, as Markdown: each recogniser's figures beside the floor's."""

from anonygan_jax.evaluation.metrics import fine_tuned, gaze_kept
from anonygan_jax.evaluation.metrics.beside import FLOOR, OVER_FLOOR
from anonygan_jax.evaluation.metrics.gallery import FARS
from anonygan_jax.evaluation.metrics.identification import CHANCE, OWN_CHANCE
from anonygan_jax.evaluation.metrics.registry import FIGURES
from anonygan_jax.evaluation.metrics.row import Row
from anonygan_jax.evaluation.metrics.self_reidentification import own_key
from anonygan_jax.evaluation.metrics.verification import tar_key
from anonygan_jax.evaluation.report.table import cell
from anonygan_jax.recognition.table import MOBILEFACENET, RECOGNISERS, Recogniser

CHANCES = {"rank_one": CHANCE, "rank_one_own": OWN_CHANCE}  # of figures
PARTS = {"": "{}", FLOOR: "black patch in its mask", OVER_FLOOR: "difference"}
EXPLANATION = (
    "Another photo of the person, or the result's own original, is accepted where its "
    "distance to the result is below that at which the recogniser accepts a share (the "
    "FAR) of the originals' pairs of different people. Rank 1: the nearest of the "
    "gallery shows the person. Parrot: the gallery is results, too. Linked: adjusted "
    "Rand index of clusters of results alone. Fitted: a linear head learnt from "
    "results of half of the people, tested on the others. A black patch in the same "
    "mask is the floor: what hair, outline and background tell. The difference is over "
    "the same faces, its interval a bootstrap over people. 0 of N proves at most 3/N. "
    "A FAR that fewer than ten pairs of strangers would tell has no column."
)
# Rank 1 of 4,852 people by AdaFace and FaceNet, pose and gaze in radians; by the papers
# of NullFace (2025) and others. Other photos, other estimators of pose than ours.
PUBLISHED = {
    "NullFace": ("CelebA-HQ", "0.21%", "0.29%", "0.053", "0.165"),
    "FAMS": ("CelebA-HQ", "3.1%", "0.87%", "0.053", "0.164"),
    "FALCO": ("CelebA-HQ", "0.10%", "0.10%", "0.088", "0.277"),
    "RiDDLE": ("FFHQ", "0.51%", "0.04%", "", ""),
    "LDFA": ("CelebA-HQ", "10.3%", "4.3%", "", ""),
    "DeepPrivacy2": ("CelebA-HQ", "0.84%", "0.72%", "", ""),
    "face swaps": ("", "", "", "0.028 to 0.035", ""),
}
ABOUT_PUBLISHED = (
    "Our pose is of landmarks on a generic head, our gaze of irises, in the head; the "
    "papers have other estimators. Faces whose eyes are shut have no gaze. By ours two "
    "people who look ahead differ by 0.05, two of any photos by 0.18 (docs/RESULTS.md)."
)
PUBLISHED_COLUMNS = (
    *("method, as published", "data set", "rank 1, AdaFace", "rank 1, FaceNet"),
    *("pose, radians", "gaze, radians"),
)
MEASURED = ("pose_angle", gaze_kept.KEY)  # of ours beside them


def columns(name: str) -> dict[str, str]:
    """Returns the keys of a recogniser's figures and their titles in its table."""
    keys = {tar_key(far, name): f"another photo, FAR {far:g}" for far in FARS}
    keys |= {
        own_key(name): "own original, FAR 0.01",
        f"rank_one_{name}": "rank 1",
        f"rank_one_own_{name}": "rank 1, own original in",
        f"auc_{name}": "AUC",
        f"parrot_{name}": "parrot",
        f"linkage_ari_{name}": "linked",
    }
    if name == MOBILEFACENET:
        keys[fine_tuned.KEY] = "fitted, FAR 0.01"
    return keys


def shown_keys() -> set[str]:
    """Returns the keys of all figures that these tables show."""
    shown = {f"accuracy_{name}" for name in RECOGNISERS} | set(CHANCES.values())
    for name in RECOGNISERS:
        shown |= {key + part for key in columns(name) for part in PARTS}
    return shown & FIGURES.keys()


def tables(rows: list[Row]) -> str:
    """Returns a table for each recogniser that ran; the originals' row is the first."""
    shown = []
    for name, known in RECOGNISERS.items():
        keys = {
            key: title
            for key, title in columns(name).items()
            if any(key in row.measures for row in rows)
        }
        if keys:
            shown.append(_table(known, name, keys, rows))
    return "\n\n".join(shown)


def _table(known: Recogniser, name: str, keys: dict[str, str], rows: list[Row]) -> str:
    """One recogniser's: a line for each method, its floor, and their difference."""
    accuracy = cell(rows[0].measures, f"accuracy_{name}")
    tested = f" (accuracy on originals {accuracy})" if accuracy else ""
    lines = [
        f"| {known.title}{tested} | " + " | ".join(keys.values()) + " |",
        "|---" * (len(keys) + 1) + "|",
    ]
    for row in rows:
        for part, title in PARTS.items():
            cells = [cell(row.measures, key + part) for key in keys]
            if any(cells):
                lines.append(
                    f"| {title.format(row.title)} | " + " | ".join(cells) + " |"
                )
    chances = [CHANCES.get(key.removesuffix(f"_{name}"), "") for key in keys]
    found = {
        key: e for row in rows for key, e in row.measures.items() if key in chances
    }
    cells = [cell(found, key) for key in chances]
    return "\n".join([*lines, "| chance | " + " | ".join(cells) + " |"])


def published_table(rows: list[Row]) -> str:
    """Returns pose and gaze of our rows, then newer methods' figures from papers."""
    lines = ["| " + " | ".join(PUBLISHED_COLUMNS) + " |"]
    lines.append("|---" * len(PUBLISHED_COLUMNS) + "|")
    for row in rows:
        ours = (
            row.title,
            "these photos",
            "",
            "",
            *(cell(row.measures, key) for key in MEASURED),
        )
        lines.append("| " + " | ".join(ours) + " |")
    for title, cells in PUBLISHED.items():
        lines.append(
            "| " + " | ".join(f"*{x}*" if x else "" for x in (title, *cells)) + " |"
        )
    return "\n".join(lines)
