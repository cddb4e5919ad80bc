"""Shards made by Apache Beam: here, or by Dataflow, Flink or Spark.

The input and the output must be folders that all workers see.
"""

import shlex
from collections.abc import Iterator

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from anonygan_jax.data.prepare.job import Shard, prepare_photo
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks


class MakeShard(beam.DoFn):
    """Prepares the photos of a shard and writes it."""

    def setup(self) -> None:
        """Loads the detector once per worker."""
        self._detector = DlibLandmarks()

    def process(self, shard: Shard) -> Iterator[int]:
        """Yields the number of the shard once it is complete."""
        shard.write(
            prepare_photo(self._detector, shard.job, photo) for photo in shard.members
        )
        yield shard.number


def make_shards(shards: list[Shard], options: str) -> None:
    """Makes shards in a pipeline and waits for its end.

    Args:
      shards: what is made; each is an element.
      options: of Beam, as on a command line: "--runner=FlinkRunner ...".

    Raises:
      ValueError: Beam does not know the runner or an option.
    """
    with beam.Pipeline(options=PipelineOptions(shlex.split(options))) as pipeline:
        _ = (
            pipeline
            | "shards" >> beam.Create(shards)
            | "spread" >> beam.Reshuffle()
            | "make" >> beam.ParDo(MakeShard())
        )
