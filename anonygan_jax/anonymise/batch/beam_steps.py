"""The steps of a pipeline: each file in a process of its own, so that it may die."""

import contextlib
import pathlib
import pickle
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import apache_beam as beam
import numpy as np

from anonygan_jax.anonymise.batch.pool import failed, planner
from anonygan_jax.anonymise.batch.worker import Planned, Searched, Worker
from anonygan_jax.anonymise.conditions.memory import DESCRIPTOR_SIZE
from anonygan_jax.io.atomic_write import atomic_write
from anonygan_jax.io.worker_pool import WorkerPool
from anonygan_jax.io.worker_process import DiedAtWork, WorkerDied, WorkerProcess

NUM_TRIES = 3  # of a file whose worker ends; runners repeat a bundle three times
COMPARED_AT_ONCE = 256  # photos whose people are compared with all that are remembered

Load = Callable[[], Worker]


class Step(beam.DoFn):
    """Applies a function to a worker and each item, in a child of the runner's process.

    What the function returns is written into a file. Numbers and items go through.
    """

    def __init__(
        self,
        load: Load,
        work: Callable[[Worker, Any], Any],
        lost: Callable[[Any, Exception], Any],
        folder: pathlib.Path,
    ) -> None:
        """Takes what is to be done.

        Args:
          load: returns the worker, once in each child.
          lost: returns what is written for an item that is set aside.
          folder: gets a file for each item.
        """
        self._load, self._work, self._lost = load, work, lost
        self._folder = folder

    def setup(self) -> None:
        """Loads the worker; raises what that raises."""
        self._process = WorkerProcess(self._load, use_one_thread=True)
        self._process(_nothing, None)

    def teardown(self) -> None:
        """Ends the child."""
        self._process.end()

    # Beam checks types by annotations: of an item it is told nothing.
    def process(self, numbered: tuple[int, Any]) -> Iterator[tuple[int, Any]]:
        """Yields number and item after the return value is written."""
        number, item = numbered
        if not self._is_made(number):  # else the bundle is repeated
            try:
                write_made(self._folder, number, self._tried(number, item))
            except DiedAtWork as error:
                if not self._is_made(number):  # by another try that ended meanwhile
                    write_made(self._folder, number, self._lost(item, error))
        yield numbered

    def _is_made(self, number: int) -> bool:
        """Whether an item's return value is written."""
        return (self._folder / f"{number}").exists()

    def _tried(self, number: int, item: Any) -> Any:
        """What the function returns; raises `DiedAtWork` if too many tries had no end.

        A try in which the item was not begun does not count.
        """
        note = self._begun(number)
        try:
            return self._process(self._work, item)
        except DiedAtWork:
            raise
        except WorkerDied:
            note.unlink()
            raise

    def _begun(self, number: int) -> pathlib.Path:
        """A file that notes this try; raises `DiedAtWork` if there are too many."""
        for attempt in range(NUM_TRIES):
            note = self._folder / f"{number}.{attempt}"
            with contextlib.suppress(FileExistsError):
                note.open("x").close()
                return note
        raise DiedAtWork(f"begun {NUM_TRIES} times by Beam workers, and ended by none")


class Plan(beam.DoFn):
    """Plans all files of a pipeline in one place, in input order.

    Who is remembered comes from the file of the pipeline before, and goes to the next.
    """

    def __init__(
        self,
        load: Load,
        found: pathlib.Path,
        before: pathlib.Path | None,
        after: pathlib.Path,
    ) -> None:
        """Takes the folder of what was found, and files of the people.

        Args:
          before: None of the first pipeline.
        """
        self._load, self._found = load, found
        self._before, self._after = before, after

    def setup(self) -> None:
        """Loads the worker."""
        self._here = self._load()
        self._nobody = pickle.dumps(self._here.anonymiser.memory)
        self._pool = WorkerPool.in_processes(self._load, 1)  # starts with a video

    def teardown(self) -> None:
        """Ends the child."""
        self._pool.__exit__(None)

    def process(
        self, keyed: tuple[str, Iterable[int]]
    ) -> Iterator[tuple[int, Planned]]:
        """Yields the numbers of files and what is planned for each.

        Raises:
          OSError: what was found, or who is remembered, is not there.
        """
        numbers, anonymiser = sorted(keyed[1]), self._here.anonymiser
        before = self._before.read_bytes() if self._before else self._nobody
        # Safe to unpickle: our workers wrote it into our own folder.
        anonymiser.memory = pickle.loads(before)
        plan = planner(self._pool, self._here, failed)
        for start in range(0, len(numbers), COMPARED_AT_ONCE):
            some = numbers[start : start + COMPARED_AT_ONCE]
            searched = [read_made(self._found, number) for number in some]
            if anonymiser.memory is not None and anonymiser.remembers:
                anonymiser.memory.compare_ahead(_descriptors(searched))
            yield from zip(some, map(plan, searched), strict=True)
        with atomic_write(self._after) as partial:
            partial.write_bytes(pickle.dumps(anonymiser.memory))


def _descriptors(searched: list[Searched]) -> np.ndarray:
    """Of the faces of photos, [N, D]."""
    pages = [p for _, found in searched if isinstance(found, list) for p in found]
    found = [one for page in pages for one in page]
    known = [one.source.descriptor for one in found if one.source]
    return np.stack(known) if known else np.zeros((0, DESCRIPTOR_SIZE), np.float32)


def read_made(folder: pathlib.Path, number: int) -> Any:
    """Returns what `write_made` wrote; raises OSError if it is not there."""
    # Safe to unpickle: our workers wrote it into our own folder.
    return pickle.loads((folder / f"{number}").read_bytes())


def write_made(folder: pathlib.Path, number: int, made: Any) -> None:
    """Writes an item's return value."""
    with atomic_write(folder / f"{number}") as partial:
        partial.write_bytes(pickle.dumps(made))


def _nothing(worker: Worker, item: None) -> None:
    """Does nothing once a worker is loaded."""
