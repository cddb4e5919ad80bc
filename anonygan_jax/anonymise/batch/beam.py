"""Photos anonymised by Apache Beam: on this machine, Dataflow, Flink or Spark.

Photos and results must be in folders that all workers can open.
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

from anonygan_jax.anonymise.batch.file_results import FileResult
from anonygan_jax.anonymise.batch.pool import PhotoWorkers
from anonygan_jax.anonymise.batch.worker import Planned, Searched, Task, Worker
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.io.atomic_write import atomic_write

PHOTOS_PER_PIPELINE = 10_000  # an interruption loses the results of so many
FIND, WRITE = "find", "write"

Item = TypeVar("Item")


class Work(beam.DoFn):
    """One of a worker's two steps; its return values are written into files."""

    def __init__(self, settings: Settings, step: str, folder: pathlib.Path) -> None:
        self._settings, self._step, self._folder = settings, step, folder

    def setup(self) -> None:
        """Builds the anonymiser once per worker."""
        self._worker = Worker(self._settings)

    def process(self, numbered: tuple[int, Any]) -> Iterator[int]:
        """Yields an item's number after its return value is written."""
        number, item = numbered
        made = getattr(self._worker, self._step)(item)
        with atomic_write(self._folder / f"{number}") as partial:
            partial.write_bytes(pickle.dumps(made))
        yield number


class Pipelines:
    """Worker pool of two pipelines for each PHOTOS_PER_PIPELINE photos."""

    def __init__(
        self, settings: Settings, options: PipelineOptions, folder: pathlib.Path
    ) -> None:
        """Takes what a pipeline needs.

        Args:
          settings: of the workers.
          options: of Beam.
          folder: of the files that workers leave for this process.
        """
        self._settings, self._options, self._folder = settings, options, folder

    def find(self, tasks: Iterable[Task]) -> Iterator[Searched]:
        """See `PhotoWorkers`."""
        return self._run(FIND, tasks)

    def write(self, planned: Iterable[Planned]) -> Iterator[FileResult]:
        """See `PhotoWorkers`."""
        return self._run(WRITE, planned)

    def _run(self, step: str, items: Iterable[Item]) -> Iterator[Any]:
        """Return values of a step for each item, in order."""
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
                    # Safe to unpickle: our workers wrote it into our own folder.
                    yield pickle.loads((folder / f"{number}").read_bytes())


@contextlib.contextmanager
def pipelines(
    settings: Settings, _here: Worker, options: str, output: pathlib.Path
) -> Iterator[PhotoWorkers]:
    """Gives a worker pool of pipelines; see `pool.PhotoWorkersMaker`.

    Args:
      settings: of the workers.
      options: of Beam, as on a command line: "--runner=FlinkRunner ...".
      output: folder of the results.

    Raises:
      ValueError: the runner or an option is unknown to Beam.
    """
    with tempfile.TemporaryDirectory(prefix=".beam-", dir=output) as folder:
        yield Pipelines(
            settings, PipelineOptions(shlex.split(options)), pathlib.Path(folder)
        )
