"""What a run tells while it goes: losses, speed, pictures, measures."""

import logging

from anonygan_jax.data.batches import BatchLoader
from anonygan_jax.systems.system import Metrics, System
from anonygan_jax.systems.train_state import TrainState
from anonygan_jax.training.config import RunConfig
from anonygan_jax.training.metric_writer import MetricWriter
from anonygan_jax.training.online_eval import OnlineEvaluation
from anonygan_jax.training.profiling import Throughput
from anonygan_jax.training.sample_grid import SampleGrid

logger = logging.getLogger(__name__)


class Hooks:
    """Everything that is written after a step, but for checkpoints.

    Attributes:
      speed: read where losses are written, if there is one.
    """

    def __init__(
        self,
        config: RunConfig,
        system: System,
        batches: BatchLoader,
        log: MetricWriter,
    ) -> None:
        """Draws the pairs to show and to measure.

        Args:
          config: when what is due.
          system: what is trained.
          batches: of the run.
          log: where to.

        Raises:
          ValueError: there are too few people for them.
        """
        self._config, self._log = config, log
        self.speed: Throughput | None = None
        self._pictures = SampleGrid(system, batches, config.num_pictures)
        self._evaluate = None
        if config.evaluate_every_x_steps:
            self._evaluate = OnlineEvaluation(system, batches, config.num_evaluated)

    def __call__(
        self, step: int, state: TrainState, values: Metrics, last: bool
    ) -> dict[str, float]:
        """Writes what is due after a step, and returns measures of the generator.

        Args:
          step: its number.
          state: after the step.
          values: its loss terms.
          last: everything is due.
        """
        config, measures = self._config, {}
        self._log.progress(step)
        if last or step % config.log_every_x_steps == 0:
            numbers = {name: float(value) for name, value in values.items()}
            speeds = self.speed.read(step) if self.speed else {}
            self._write(step, numbers | speeds)
        if last or step % config.picture_every_x_steps == 0:
            self._log.picture(step, self._pictures(state))
        if self._evaluate and (last or step % config.evaluate_every_x_steps == 0):
            measures = self._evaluate(state)  # batches go on being made meanwhile
            self._write(step, measures)
        return measures

    def _write(self, step: int, numbers: dict[str, float]) -> None:
        """Numbers to files and screen."""
        self._log.scalars(step, numbers)
        text = " ".join(f"{name} {value:.3f}" for name, value in numbers.items())
        logger.info("step %d: %s", step, text)
