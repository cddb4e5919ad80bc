"""Many photos by Apache Beam: here, or on Dataflow, Flink or Spark.

Photos and results must lie in folders that all workers see.
"""

import contextlib
import itertools
import pathlib
import pickle
import shlex
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from anonygan_jax.anonymise.batch.outcomes import FileResult
from anonygan_jax.anonymise.batch.pool import WorkerPool
from anonygan_jax.anonymise.batch.worker import Planned, Searched, Task, Worker
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.io.atomic_write import atomic_write

PHOTOS_PER_PIPELINE = 10_000  # what an interruption loses at most
FIND, WRITE = "find", "write"

Item = TypeVar("Item")


class Work(beam.DoFn):
    """One of a worker's two steps; what it returns goes into a file."""

    def __init__(self, settings: Settings, step: str, folder: pathlib.Path) -> None:
        self._settings, self._step, self._folder = settings, step, folder

    def setup(self) -> None:
        """Loads the method once per worker."""
        self._worker = Worker(self._settings)

    def process(self, numbered: tuple[int, Any]) -> Iterator[int]:
        """Yields an item's number once what became of it is in its file."""
        number, item = numbered
        made = getattr(self._worker, self._step)(item)
        with atomic_write(self._folder / f"{number}") as partial:
            partial.write_bytes(pickle.dumps(made))
        yield number


class Pipelines:
    """Helpers that run as pipelines, two for each ten thousand photos."""

    def __init__(
        self, settings: Settings, options: PipelineOptions, folder: pathlib.Path
    ) -> None:
        """Takes what a pipeline needs.

        Args:
          settings: of the workers.
          options: of Beam.
          folder: for files between driver and workers.
        """
        self._settings, self._options, self._folder = settings, options, folder

    def find(self, tasks: Iterable[Task]) -> Iterator[Searched]:
        """See `WorkerPool`."""
        return self._run(FIND, tasks)

    def write(self, planned: Iterable[Planned]) -> Iterator[FileResult]:
        """See `WorkerPool`."""
        return self._run(WRITE, planned)

    def _run(self, step: str, items: Iterable[Item]) -> Iterator[Any]:
        """What a step makes of each item, in order."""
        items = iter(items)
        while some := list(itertools.islice(items, PHOTOS_PER_PIPELINE)):
            with tempfile.TemporaryDirectory(prefix=step, dir=self._folder) as name:
                folder = pathlib.Path(name)
                with beam.Pipeline(options=self._options) as pipeline:
                    _ = (
                        pipeline
                        | "photos" >> beam.Create(list(enumerate(some)))
                        | "spread" >> beam.Reshuffle()
                        | step >> beam.ParDo(Work(self._settings, step, folder))
                    )
                for number in range(len(some)):
                    # Written by our own workers a moment ago, in a folder of our own.
                    yield pickle.loads((folder / f"{number}").read_bytes())


@contextlib.contextmanager
def pipelines(
    settings: Settings, _here: Worker, options: str, output: pathlib.Path
) -> Iterator[WorkerPool]:
    """Helpers that Beam finds; see `batch.WorkerPoolMaker`.

    Args:
      settings: of the workers.
      options: of Beam, as on a command line: "--runner=FlinkRunner ...".
      output: folder of the results.

    Raises:
      ValueError: Beam does not know the runner or an option.
    """
    with tempfile.TemporaryDirectory(prefix=".beam-", dir=output) as folder:
        yield Pipelines(
            settings, PipelineOptions(shlex.split(options)), pathlib.Path(folder)
        )
