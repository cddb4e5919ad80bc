"""Report of an evaluation: results.json, report.md and plots."""

import dataclasses
import datetime
import json
import math
import pathlib
import platform
import shlex
import sys
from collections import Counter
from typing import Any

import numpy as np

import anonygan_jax
from anonygan_jax.evaluation.collect.folders import Problem
from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.evaluation.metrics.row import Row
from anonygan_jax.evaluation.report import plots, seen, table
from anonygan_jax.io.atomic_write import atomic_write

RESULTS_FILE, REPORT_FILE = "results.json", "report.md"
MAX_LISTED = 20  # problems named in the Markdown; results.json has all


@dataclasses.dataclass(frozen=True)
class Report:
    """Figures of an evaluation, and the files in which they are written.

    Attributes:
      originals: the folder of originals.
      num_photos: number of originals.
      num_faces: originals in which dlib detects a face.
      rows: of the originals, then of each method.
      problems: by row title, photos that are not measured.
      mean_face: float [68, 2], mean landmarks of the originals.
      settings: other settings that the figures depend on.
    """

    originals: str
    num_photos: int
    num_faces: int
    rows: list[Row]
    problems: dict[str, list[Problem]]
    mean_face: np.ndarray
    settings: dict[str, Any]

    def write(self, output: pathlib.Path) -> None:
        """Writes results.json, report.md and plots into an existing folder.

        Raises:
          OSError: a file cannot be written.
        """
        measured = [row for row in self.rows[1:] if row.measures]
        plots.bars(measured, output / "bars.png")
        if self._has_curves:
            plots.curves(self.rows, output / "roc.png")
        plots.landmark_errors(measured, self.mean_face, output / "pose.png")
        with atomic_write(output / RESULTS_FILE) as partial:
            partial.write_text(json.dumps(self._data(), indent=1) + "\n")
        with atomic_write(output / REPORT_FILE) as partial:
            partial.write_text(self._markdown())

    @property
    def _has_curves(self) -> bool:
        """Whether any row has a ROC."""
        return any(row.curves for row in self.rows)

    def _data(self) -> dict[str, Any]:
        """All figures as JSON values."""
        return {
            "anonygan_jax": anonygan_jax.__version__,
            "command": shlex.join(sys.argv),
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "machine": f"{platform.machine()}, Python {platform.python_version()}",
            "originals": self.originals,
            "num_photos": self.num_photos,
            "num_faces": self.num_faces,
            "settings": self.settings,
            "rows": [_row_data(row) for row in self.rows],
            "published": {
                title: dict(zip(table.PUBLISHED_COLUMNS, cells, strict=True))
                for title, cells in table.PUBLISHED_ROWS.items()
            },
            "published_newer": {
                title: dict(zip(seen.PUBLISHED_COLUMNS[1:], cells, strict=True))
                for title, cells in seen.PUBLISHED.items()
            },
            "problems": {
                title: [dataclasses.asdict(p) for p in problems]
                for title, problems in self.problems.items()
            },
        }

    def _markdown(self) -> str:
        """The text of report.md."""
        settings = ", ".join(f"{k} {v}" for k, v in self.settings.items())
        parts = [
            "# Evaluation",
            f"{self.originals}: {self.num_photos} photos, in {self.num_faces} of them "
            f"dlib finds a face. {settings}. Intervals are 95%; after ± the standard "
            "deviation over folds.",
            table.published_table(self.rows[1:]),
            "## What others see",
            seen.EXPLANATION,
            seen.tables(self.rows),
            seen.published_table(self.rows[1:]),
            seen.ABOUT_PUBLISHED,
            "## All other figures",
            table.full_table(self.rows, seen.shown_keys()),
            "## By subgroup",
            "Subgroups are estimates: yaw from landmarks, skin tone from the photo's "
            "colours, which depend on its light, apparent gender and age from dlib's "
            "descriptor.",
            table.subgroup_tables([row for row in self.rows[1:] if row.subgroups]),
            "![Detection, re-identification and pose](bars.png)",
            *(["![ROC of re-identification](roc.png)"] if self._has_curves else []),
            "![Pose error per landmark](pose.png)",
            "![Originals and results](contact_sheet.jpg)",
        ]
        remarks = sorted({f"- {text}" for row in self.rows for text in row.remarks})
        if remarks:
            parts += ["## Read with care", "\n".join(remarks)]
        if any(self.problems.values()):
            parts += ["## Left out", *map(_problem_list, self.problems.items())]
        return "\n\n".join(parts) + "\n"


def _row_data(row: Row) -> dict[str, Any]:
    """A row as JSON values."""
    return {
        "title": row.title,
        "region": row.region,
        "measures": _estimates(row.measures),
        "subgroups": {part: _estimates(m) for part, m in row.subgroups.items()},
        "roc_area": {name: curve.area for name, curve in row.curves.items()},
        "landmark_errors": (
            None if row.landmark_errors is None else row.landmark_errors.tolist()
        ),
        "remarks": row.remarks,
    }


def _estimates(measures: dict[str, Estimate]) -> dict[str, dict[str, Any]]:
    """Estimates as JSON values; NaN becomes null."""
    return {
        key: {
            name: None if isinstance(x, float) and math.isnan(x) else x
            for name, x in dataclasses.asdict(estimate).items()
        }
        for key, estimate in measures.items()
    }


def _problem_list(item: tuple[str, list[Problem]]) -> str:
    """The problems of one row: counts by reason, then names."""
    title, problems = item
    if not problems:
        return f"{title}: nothing."
    reasons = Counter(problem.reason for problem in problems).most_common(5)
    counted = "; ".join(f"{reason} ({count})" for reason, count in reasons)
    names = ", ".join(problem.photo for problem in problems[:MAX_LISTED])
    more = ", ..." if len(problems) > MAX_LISTED else ""
    return f"{title}: {len(problems)} photos: {counted}. {names}{more}"
