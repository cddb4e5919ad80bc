"""Photos anonymised by Apache Beam: on this machine, Dataflow, Flink or Spark.

Photos and results must be in folders that all workers can open.
"""

import contextlib
import itertools
import pathlib
import pickle
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from anonygan_jax.anonymise.batch.pool import Item, Made, PhotoWorkers
from anonygan_jax.anonymise.batch.worker import Worker
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.io.atomic_write import atomic_write, temporary_path
from anonygan_jax.io.worker_process import WorkerDied

PHOTOS_PER_PIPELINE = 10_000  # an interruption loses the results of so many


class Work(beam.DoFn):
    """One of a worker's two steps; its return values are written into files."""

    def __init__(
        self,
        settings: Settings,
        work: Callable[[Worker, Any], Any],
        folder: pathlib.Path,
    ) -> None:
        self._settings, self._work, self._folder = settings, work, folder

    def setup(self) -> None:
        """Builds the anonymiser once per worker."""
        self._worker = Worker(self._settings)

    def process(self, numbered: tuple[int, Any]) -> Iterator[int]:
        """Yields an item's number after its return value is written."""
        number, item = numbered
        made = self._work(self._worker, item)
        with atomic_write(self._folder / f"{number}") as partial:
            partial.write_bytes(pickle.dumps(made))
        yield number


class Pipelines:
    """`PhotoWorkers` of two pipelines for each PHOTOS_PER_PIPELINE photos.

    What becomes of a worker that dies is the runner's to decide.
    """

    def __init__(
        self, settings: Settings, options: PipelineOptions, folder: pathlib.Path
    ) -> None:
        self._settings, self._options, self._folder = settings, options, folder

    def map(
        self,
        work: Callable[[Worker, Item], Made],
        items: Iterable[Item],
        lost: Callable[[Item, WorkerDied], Made] | None = None,
    ) -> Iterator[Made]:
        """Yields work(worker, item) of each item, in input order."""
        items = iter(items)
        while some := list(itertools.islice(items, PHOTOS_PER_PIPELINE)):
            with tempfile.TemporaryDirectory(dir=self._folder) as name:
                folder = pathlib.Path(name)
                with beam.Pipeline(options=self._options) as pipeline:
                    _ = (
                        pipeline
                        | "photos" >> beam.Create(list(enumerate(some)))
                        | "spread" >> beam.Reshuffle()
                        | "work" >> beam.ParDo(Work(self._settings, work, folder))
                    )
                for number in range(len(some)):
                    # Safe to unpickle: our workers wrote it into our own folder.
                    yield pickle.loads((folder / f"{number}").read_bytes())


@contextlib.contextmanager
def pipelines(
    settings: Settings, num_files: int, options: str, output: pathlib.Path
) -> Iterator[PhotoWorkers]:
    """Yields a worker pool of pipelines; see `pool.PhotoWorkersMaker`.

    Args:
      options: of Beam, as on a command line: "--runner=FlinkRunner ...".

    Raises:
      ValueError: the runner or an option is unknown to Beam.
    """
    del num_files  # the runner counts
    folder = temporary_path(output / "beam")
    folder.mkdir(mode=0o700, parents=True)
    try:
        beam_options = PipelineOptions(shlex.split(options))
        yield Pipelines(settings, beam_options, folder)
    finally:
        shutil.rmtree(folder)
