"""Results of files, written one by one, so that a stopped run can be continued."""

import dataclasses
import json
import pathlib
from typing import Any

import anonygan_jax
from anonygan_jax.anonymise.batch.file_results import FAILED, REPORT, FileResult
from anonygan_jax.io.atomic_write import atomic_write

JOURNAL = ".report.jsonl"  # beside the results until the report is written


class Journal:
    """Results of files in one output folder."""

    def __init__(self, output: pathlib.Path, settings: dict[str, Any]) -> None:
        """Reads the results of an earlier run with the same settings and version."""
        self._output = output
        self._head = {
            "anonygan_jax": anonygan_jax.__version__,
            "settings": json.loads(json.dumps(settings)),
        }
        self._known = {
            result.photo: result
            for result in (*self._reported(), *self._journalled())
            if result.kind != FAILED
        }

    def previous(self, photo: str, fingerprint: str) -> FileResult | None:
        """Returns the result of an earlier run; None if file or result changed."""
        result = self._known.get(photo)
        if result is None or result.fingerprint != fingerprint:
            return None
        if result.result and not pathlib.Path(result.result).exists():
            return None
        return result

    def add(self, result: FileResult) -> None:
        """Appends a result to the journal."""
        path = self._output / JOURNAL
        self._output.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        with path.open("a") as file:
            if is_new:
                file.write(json.dumps(self._head) + "\n")
            file.write(json.dumps(dataclasses.asdict(result)) + "\n")

    def start(self) -> None:
        """Starts a journal with the results of the earlier run.

        Raises:
          OSError: the folder cannot be written to.
        """
        self._output.mkdir(parents=True, exist_ok=True)
        (self._output / JOURNAL).unlink(missing_ok=True)
        for result in self._known.values():
            self.add(result)

    def finish(self, results: list[FileResult]) -> None:
        """Writes report.json and deletes the journal.

        Raises:
          OSError: the folder cannot be written to.
        """
        report = {
            **self._head,
            "photos": [dataclasses.asdict(result) for result in results],
        }
        with atomic_write(self._output / REPORT) as partial:
            partial.write_text(json.dumps(report, indent=1) + "\n")
        (self._output / JOURNAL).unlink(missing_ok=True)

    def _reported(self) -> list[FileResult]:
        """Results of a run that ended."""
        path = self._output / REPORT
        report = _parsed(path.read_text()) if path.exists() else None
        if not report or not self._is_ours(report):
            return []
        return [FileResult.from_dict(entry) for entry in report["photos"]]

    def _journalled(self) -> list[FileResult]:
        """Results of a run that was stopped."""
        path = self._output / JOURNAL
        lines = path.read_text().splitlines() if path.exists() else []
        entries = [_parsed(line) for line in lines]
        if not entries or not entries[0] or not self._is_ours(entries[0]):
            return []
        return [FileResult.from_dict(entry) for entry in entries[1:] if entry]

    def _is_ours(self, head: dict[str, Any]) -> bool:
        """Whether a report is of the same settings and version."""
        return all(head.get(key) == value for key, value in self._head.items())


def fingerprint_of(path: pathlib.Path) -> str:
    """Returns size and time of change of a file, by which a change is noticed."""
    try:
        about = path.stat()
    except OSError:
        return ""  # reading it will raise the error
    return f"{about.st_size} {about.st_mtime_ns}"


def _parsed(text: str) -> dict[str, Any] | None:
    """A JSON object; None if the text ends early."""
    try:
        return json.loads(text)
    except ValueError:
        return None
