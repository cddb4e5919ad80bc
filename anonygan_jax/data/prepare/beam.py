"""Shards prepared by Apache Beam: on this machine, Dataflow, Flink or Spark.

All workers must have access to the folders of input and output.
"""

from collections.abc import Iterator

import apache_beam as beam

from anonygan_jax.data.prepare.job import Shard, prepare_photo
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.io.beam_pipeline import parse_options, run_pipeline


class MakeShard(beam.DoFn):
    """Prepares the photos of a shard and writes the shard."""

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
    """Writes shards in a pipeline and waits for its end.

    Args:
      shards: of one job or of several.
      options: of Beam, as on a command line: "--runner=FlinkRunner ...".

    Raises:
      ValueError: Beam has no such runner or option.
      PipelineError: it failed.
    """
    pipeline = beam.Pipeline(options=parse_options(options))
    _ = (
        pipeline
        | "shards" >> beam.Create(shards)
        | "spread" >> beam.Reshuffle()
        | "make" >> beam.ParDo(MakeShard())
    )
    run_pipeline(pipeline)
