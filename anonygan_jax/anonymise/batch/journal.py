"""What was done in a folder of results by all its runs: a report, and a journal.

The report is written at the end of a run. Until then entries are in the journal, each
before its result gets its name: no file of ours is there that is not named by one.
"""

import dataclasses
import json
import os
import pathlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from anonygan_jax.anonymise.batch.contents import UNREADABLE, About
from anonygan_jax.anonymise.batch.entries import (
    FILES,
    RUNS,
    Entry,
    read_journal,
    read_report,
)
from anonygan_jax.anonymise.batch.file_results import FAILED, LEFT_OUT, FileResult
from anonygan_jax.io.atomic_write import atomic_write

REPORT, JOURNAL = "report.json", ".report.jsonl"


class Journal:
    """The entries of one folder, oldest first."""

    def __init__(self, folder: pathlib.Path, about: About) -> None:
        """Reads the entries of earlier runs.

        Args:
          about: of this run, whose entries are added.

        Raises:
          ReportError: report or journal is none of ours.
          OSError: one of them cannot be read.
        """
        self._report, self._path = folder / REPORT, folder / JOURNAL
        self._about, self._has_started = about, False
        self._runs: dict[str, Any] = {}
        self._entries: list[Entry] = []
        self._by_name: dict[str, list[Entry]] = defaultdict(list)
        for runs, entries in (read_report(self._report), read_journal(self._path)):
            self._runs.update(runs)
            for entry in entries:
                self._note(entry)

    def names(self) -> list[str]:
        """Returns the names of results that have entries."""
        return list(self._by_name)

    def of(self, name: str) -> list[Entry]:
        """Returns the entries of a result's name, newest first."""
        return self._by_name.get(name, [])[::-1]

    def previous(self, name: str, fingerprint: str, lying: str) -> Entry | None:
        """Returns the entry that a run like this one made of the same contents.

        Args:
          fingerprint: of the photo or video.
          lying: fingerprint of the file of the result's name; "" if there is none.
        """
        for entry in self.of(name):
            is_alike = entry.run == self._about.key and entry.result.kind != FAILED
            is_there = entry.result.result_fingerprint == lying
            if is_alike and is_there and entry.result.fingerprint == fingerprint:
                return entry
        return None

    @property
    def is_started(self) -> bool:
        """Whether there is a journal: this run's, or of one that was stopped."""
        return self._path.exists()

    def add(self, name: str, result: FileResult) -> None:
        """Appends an entry to the journal, and waits until it is on the disk.

        Args:
          name: of the result below the folder.

        Raises:
          OSError: the disk is full, or the folder cannot be written to.
        """
        photo = os.path.abspath(result.photo)
        result = dataclasses.replace(
            result, photo=photo, result=name if result.result else None
        )
        entry = Entry(name, self._about.key, result)
        self.start()
        self._append(entry.as_dict())
        self._note(entry)

    def finish(self, lying: Callable[[str], str]) -> None:
        """Writes report.json and deletes the journal, if there is one.

        Args:
          lying: returns what `lying_fingerprint` does of the file of a result's name.

        Raises:
          OSError: the folder cannot be written to.
        """
        if not self.is_started:
            return
        entries = sorted(self._last(lying), key=lambda e: (e.result.photo, e.name))
        used = {entry.run for entry in entries}
        report = {
            RUNS: {key: run for key, run in self._runs.items() if key in used},
            FILES: [entry.as_dict() for entry in entries],
        }
        with atomic_write(self._report) as partial:
            partial.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
        self._path.unlink()

    def _last(self, lying: Callable[[str], str]) -> Iterable[Entry]:
        """The last entry of each file, and that of each result that is there."""
        last = {(entry.name, entry.result.photo): entry for entry in self._entries}
        for name, entries in self._by_name.items():
            there = lying(name) if len(entries) > 1 else ""
            if there == UNREADABLE:  # any of them may be its
                last.update({(name, e.result.result_fingerprint): e for e in entries})
            of_there = [e for e in entries if e.result.result_fingerprint == there]
            if not there or not of_there:
                continue
            for key in [(name, entry.result.photo) for entry in entries]:
                if key in last and last[key].result.result_fingerprint not in (
                    "",
                    there,
                ):
                    del last[key]  # its result was replaced, or did not get its name
            last[name, there] = of_there[-1]
        return {id(entry): entry for entry in last.values()}.values()

    def _note(self, entry: Entry) -> None:
        """Adds an entry to those that are known."""
        self._entries.append(entry)
        if entry.result.kind != LEFT_OUT:
            self._by_name[entry.name].append(entry)

    def start(self) -> None:
        """Starts this run's part of the journal, unless it has begun.

        Raises:
          OSError: the folder cannot be written to.
        """
        if self._has_started:
            return
        about = {"key": self._about.key, **dataclasses.asdict(self._about)}
        self._runs[self._about.key] = dataclasses.asdict(self._about)
        if not self._path.exists():
            with atomic_write(self._path) as partial:
                partial.write_text(json.dumps(about) + "\n", "utf-8")
        else:
            whole = self._path.read_bytes().endswith(b"\n")
            self._append(about, "" if whole else "\n")
        self._has_started = True

    def _append(self, entry: dict[str, Any], before: str = "") -> None:
        """Adds a line."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{before}{json.dumps(entry)}\n")
            file.flush()
            os.fsync(file.fileno())
