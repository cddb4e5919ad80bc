"""Outcomes kept as they come, so that a run that was stopped can be continued."""

import dataclasses
import json
import pathlib
from typing import Any

import anonygan_jax
from anonygan_jax.anonymise.batch.outcomes import FAILED, REPORT, FileResult
from anonygan_jax.io.atomic_write import atomic_write

JOURNAL = ".report.jsonl"  # beside the results until the report is written


class Journal:
    """Outcomes of one folder of results."""

    def __init__(self, output: pathlib.Path, settings: dict[str, Any]) -> None:
        """Reads what an earlier run with the same settings and version left.

        Args:
          output: folder of results.
          settings: as JSON has them; another run's outcomes are not used.
        """
        self._output = output
        self._head = {
            "anonygan_jax": anonygan_jax.__version__,
            "settings": json.loads(json.dumps(settings)),
        }
        self._known = {
            outcome.photo: outcome
            for outcome in (*self._reported(), *self._journalled())
            if outcome.kind != FAILED
        }

    def previous(self, photo: str, fingerprint: str) -> FileResult | None:
        """Returns what became of a photo before, if it and its result are still there.

        Args:
          photo: its name.
          stamp: see `fingerprint_of`; must be as it was.
        """
        outcome = self._known.get(photo)
        if outcome is None or outcome.fingerprint != fingerprint:
            return None
        if outcome.result and not pathlib.Path(outcome.result).exists():
            return None
        return outcome

    def add(self, outcome: FileResult) -> None:
        """Keeps an outcome at once."""
        path = self._output / JOURNAL
        self._output.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        with path.open("a") as file:
            if is_new:
                file.write(json.dumps(self._head) + "\n")
            file.write(json.dumps(dataclasses.asdict(outcome)) + "\n")

    def start(self) -> None:
        """Throws away the journal of a run with other settings.

        Raises:
          OSError: the folder cannot be written to.
        """
        self._output.mkdir(parents=True, exist_ok=True)
        (self._output / JOURNAL).unlink(missing_ok=True)
        for outcome in self._known.values():
            self.add(outcome)

    def finish(self, outcomes: list[FileResult]) -> None:
        """Writes report.json, whole or not at all, and ends the journal."""
        report = {
            **self._head,
            "photos": [dataclasses.asdict(outcome) for outcome in outcomes],
        }
        with atomic_write(self._output / REPORT) as partial:
            partial.write_text(json.dumps(report, indent=1) + "\n")
        (self._output / JOURNAL).unlink(missing_ok=True)

    def _reported(self) -> list[FileResult]:
        """Outcomes of a run that ended."""
        path = self._output / REPORT
        report = _parsed(path.read_text()) if path.exists() else None
        if not report or not self._is_ours(report):
            return []
        return [FileResult.from_dict(entry) for entry in report["photos"]]

    def _journalled(self) -> list[FileResult]:
        """Outcomes of a run that was stopped."""
        path = self._output / JOURNAL
        lines = path.read_text().splitlines() if path.exists() else []
        entries = [_parsed(line) for line in lines]
        if not entries or not entries[0] or not self._is_ours(entries[0]):
            return []
        return [FileResult.from_dict(entry) for entry in entries[1:] if entry]

    def _is_ours(self, head: dict[str, Any]) -> bool:
        return all(head.get(key) == value for key, value in self._head.items())


def fingerprint_of(path: pathlib.Path) -> str:
    """Returns by what a changed photo is told: its size and time of change."""
    try:
        about = path.stat()
    except OSError:
        return ""  # it will fail where it is read
    return f"{about.st_size} {about.st_mtime_ns}"


def _parsed(text: str) -> dict[str, Any] | None:
    """A JSON object; None where a kill cut it short."""
    try:
        return json.loads(text)
    except ValueError:
        return None
