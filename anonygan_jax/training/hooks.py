"""What is done after each step: losses, speed, image grids and measures are written."""

import logging
import types
from collections.abc import Mapping

from anonygan_jax.data.batches import BatchLoader
from anonygan_jax.systems.system import Metrics, System
from anonygan_jax.systems.train_state import TrainState
from anonygan_jax.training import processes
from anonygan_jax.training.config import RunConfig
from anonygan_jax.training.divergence import DivergenceWatch
from anonygan_jax.training.metric_writer import MetricWriter
from anonygan_jax.training.online_eval import OnlineEvaluation
from anonygan_jax.training.optimiser import OptimiserConfig
from anonygan_jax.training.profiling import Throughput
from anonygan_jax.training.sample_grid import SampleGrid

logger = logging.getLogger(__name__)


class Hooks:
    """Writes metrics and image grids after the steps in which they are due.

    Attributes:
      log: where they are written; None in all processes but the first, which compute
        what they have a part in and write nothing.
      throughput: read where losses are written; None: no speeds are written.
    """

    def __init__(
        self,
        config: RunConfig,
        optimiser: OptimiserConfig,
        system: System,
        batches: BatchLoader,
    ) -> None:
        """Samples the pairs to show and to measure.

        Raises:
          ValueError: there are too few people, or dlib detects no face.
        """
        self._config, self._optimiser = config, optimiser
        self._divergence = DivergenceWatch()  # since the start or resume
        self.log: MetricWriter | None = None
        self.throughput: Throughput | None = None
        self._sample_grid = SampleGrid(system, batches, config.num_pictures)
        self._evaluate = None
        if config.evaluate_every_x_steps:
            self._evaluate = OnlineEvaluation(system, batches, config.num_evaluated)

    def __call__(
        self, step: int, state: TrainState, values: Metrics, last: bool
    ) -> dict[str, float]:
        """Writes what is due, and returns the online evaluation's measures by name.

        Args:
          step: number of the step, from 1.
          state: after the step.
          values: loss terms of the step.
          last: whether it is the last step, after which everything is due.
        """
        config, measures = self._config, {}
        if self._is_due(step, last, config.log_every_x_steps):
            numbers = {name: float(value) for name, value in values.items()}
            speeds = self.throughput.read(step) if self.throughput else {}
            self._write(step, numbers | speeds, self._optimiser.learning_rates(step))
            self._alert(step, numbers)
        draws = self._is_due(step, last, config.picture_every_x_steps)
        evaluates = self._is_due(step, last, config.evaluate_every_x_steps)
        if draws:
            grid = self._sample_grid(state)
            if self.log:
                self.log.picture(step, grid)
        if self._evaluate and evaluates:
            measures = self._evaluate(state)
            self._write(step, measures)
        if draws or evaluates:
            processes.meet("pictures and measures")
        return measures

    def _is_due(self, step: int, last: bool, period: int) -> bool:
        """Whether something is due that happens every so many steps; 0 for never."""
        return bool(period) and (last or step % period == 0)

    def _write(
        self,
        step: int,
        numbers: dict[str, float],
        unlogged: Mapping[str, float] = types.MappingProxyType({}),
    ) -> None:
        """Writes numbers to the files and, but for the unlogged ones, the log."""
        if self.log is None:
            return
        self.log.scalars(step, {**numbers, **unlogged})
        text = " ".join(f"{name} {value:.3f}" for name, value in numbers.items())
        logger.info("step %d: %s", step, text)

    def _alert(self, step: int, losses: dict[str, float]) -> None:
        """Warns once if the run diverges."""
        known = self._divergence.alerts()
        self._divergence.add({"step": step} | losses)
        for alert in self._divergence.alerts() if self.log else ():
            if alert not in known:
                logger.warning("%s", alert)
