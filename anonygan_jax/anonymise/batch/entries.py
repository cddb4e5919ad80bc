"""Entries of a report or journal, which are read and checked here."""

import dataclasses
import json
import logging
import os
import pathlib
from typing import Any

from anonygan_jax.anonymise.batch.file_results import FileResult

logger = logging.getLogger(__name__)

RUNS, FILES = "runs", "photos"  # keys of the report
_DAMAGED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


class ReportError(ValueError):
    """A report or journal that cannot be read, or that is another program's."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A file's result as it is written down.

    Attributes:
      name: of the result below the folder, with "/", whether it was written or not.
      run: `About.key` of the run.
      result: with the absolute path of the file.
    """

    name: str
    run: str
    result: FileResult

    @classmethod
    def from_dict(cls, entry: dict[str, Any]) -> "Entry":
        """Returns the entry of a report or journal."""
        fields = {k: v for k, v in entry.items() if k not in ("name", "run")}
        return cls(entry["name"], entry["run"], FileResult.from_dict(fields))

    def as_dict(self) -> dict[str, Any]:
        """Returns what is written into a report or journal."""
        fields = dataclasses.asdict(self.result)
        return {
            "photo": fields.pop("photo"),
            "name": self.name,
            **fields,
            "run": self.run,
        }


# What runs depend on by `About.key`, and entries, oldest first.
Written = tuple[dict[str, Any], list[Entry]]


def read_report(path: pathlib.Path) -> Written:
    """Returns what runs wrote that ended; nothing if there is no file.

    Raises:
      ReportError: the report is none of ours.
      OSError: it cannot be read.
    """
    if not os.path.lexists(path):
        return {}, []
    try:
        report = json.loads(path.read_bytes())
        return dict(report[RUNS]), [Entry.from_dict(e) for e in report[FILES]]
    except _DAMAGED as error:
        raise ReportError(
            f"{path}: damaged, or no report of this version; what is there is not "
            "touched: choose another --output, or move the file away"
        ) from error


def read_journal(path: pathlib.Path) -> Written:
    """Returns what runs wrote that were stopped; nothing if there is no file.

    A line that is cut short or damaged is left out with a warning.

    Raises:
      ReportError: the journal is none of ours.
      OSError: it cannot be read.
    """
    runs: dict[str, Any] = {}
    entries: list[Entry] = []
    lines = path.read_bytes().splitlines() if os.path.lexists(path) else []
    for number, line in enumerate(lines, 1):
        try:
            fields = json.loads(line)
            if "key" in fields:
                runs[fields.pop("key")] = fields
            else:
                entries.append(Entry.from_dict(fields))
        except _DAMAGED as error:
            if number == 1:
                raise ReportError(
                    f"{path}: damaged, or no journal of this tool; choose another "
                    "--output, or move the file away"
                ) from error
            logger.warning("%s: line %d is damaged, left out", path, number)
    return runs, entries
