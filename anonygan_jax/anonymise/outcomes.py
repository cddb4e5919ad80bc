"""What became of each photo: a line, an entry of report.json, the exit code."""

import dataclasses
import json
import pathlib
from collections import Counter
from typing import Any

import anonygan_jax
from anonygan_jax.anonymise.pipeline import FaceReport
from anonygan_jax.data.whole_files import written_whole

REPORT = "report.json"
REPLACED, COVERED, NO_FACE, FAILED = "replaced", "covered", "no face", "failed"
EXIT_FAILED, EXIT_COVERED = 2, 3


@dataclasses.dataclass(frozen=True)
class Outcome:
    """One photo.

    Attributes:
      photo: its name below the input.
      kind: REPLACED, all faces were hidden as asked; COVERED, some were pixelated
        instead; NO_FACE, none was found; FAILED.
      result: path of what was written, if anything was.
      reason: why it failed.
      faces: what happened to each.
    """

    photo: str
    kind: str
    result: str | None = None
    reason: str | None = None
    faces: tuple[FaceReport, ...] = ()

    def line(self) -> str:
        """Returns what is shown on the screen."""
        if self.kind == FAILED:
            return f"error: {self.photo}: {self.reason}; no result written"
        if self.kind == NO_FACE:
            done = f"copied to {self.result}" if self.result else "no result written"
            return f"{self.photo}: no face found, look at it; {done}"
        covered = [f.covered_because for f in self.faces if f.covered_because]
        text = f"{self.result}: {len(self.faces)} face{'s' * (len(self.faces) != 1)}"
        return text + (f", {len(covered)} covered ({covered[0]})" if covered else "")


def exit_code(outcomes: list[Outcome]) -> int:
    """Returns 2 when a photo failed, else 3 when a face was covered, else 0."""
    kinds = {outcome.kind for outcome in outcomes}
    if FAILED in kinds:
        return EXIT_FAILED
    return EXIT_COVERED if COVERED in kinds else 0


def summary(outcomes: list[Outcome], output: pathlib.Path) -> str:
    """Returns the last line on the screen."""
    kinds = Counter(outcome.kind for outcome in outcomes)
    done = kinds[REPLACED] + kinds[COVERED]
    parts = [f"anonymised {done} of {len(outcomes)} photos, results in {output}"]
    if kinds[COVERED]:
        parts.append(f"faces covered in {kinds[COVERED]}")
    if kinds[NO_FACE]:
        parts.append(f"no face found in {kinds[NO_FACE]}, look at them")
    if kinds[FAILED]:
        parts.append(f"{kinds[FAILED]} failed")
    return "; ".join(parts)


def write_report(
    output: pathlib.Path, settings: dict[str, Any], outcomes: list[Outcome]
) -> None:
    """Writes `output`/report.json, whole or not at all."""
    report = {
        "anonygan_jax": anonygan_jax.__version__,
        "settings": settings,
        "photos": [dataclasses.asdict(outcome) for outcome in outcomes],
    }
    with written_whole(output / REPORT) as partial:
        partial.write_text(json.dumps(report, indent=1) + "\n")
