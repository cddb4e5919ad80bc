"""The training loop."""

import contextlib
import dataclasses
import logging
import pathlib
import signal
import time
from types import FrameType

import jax
import ml_collections

from anonygan_jax import building, checkpointing, metrics, sharding
from anonygan_jax.data.pairs import PairConfig
from anonygan_jax.data.pipeline import Batches, DataConfig
from anonygan_jax.finite_watch import FiniteWatch
from anonygan_jax.pictures import PictureMaker
from anonygan_jax.quick_evaluation import QuickEvaluation
from anonygan_jax.train_state import TrainState

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """When things happen, in steps; the number of steps is the optimiser's.

    Attributes:
      seed: of the initial weights and of dropout.
      log_every_x_steps: scalars.
      picture_every_x_steps: grids of faces, from the averaged generator.
      checkpoint_every_x_steps: what a kill loses at most.
      num_checkpoints: kept on disk.
      num_pictures: rows of a grid.
      evaluate_every_x_steps: detection, re-identification and pose, from the averaged
        generator (needs dlib); 0 for never.
      num_evaluated: faces that this looks at.
    """

    seed: int
    log_every_x_steps: int
    picture_every_x_steps: int
    checkpoint_every_x_steps: int
    num_checkpoints: int
    num_pictures: int
    evaluate_every_x_steps: int
    num_evaluated: int


class StopRequest:
    """While entered, turns Ctrl-C and a kill into an orderly end of the loop."""

    def __enter__(self) -> "StopRequest":
        self.requested = False
        numbers = (signal.SIGINT, signal.SIGTERM)
        self._before = {n: signal.signal(n, self._note) for n in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt  # asked twice: stop at once
        self.requested = True


def train_and_evaluate(
    config: ml_collections.ConfigDict, workdir: pathlib.Path
) -> TrainState:
    """Trains to the last step and returns the final state.

    Continues from the newest checkpoint in `workdir`. On Ctrl-C or a kill the state is
    saved before the function returns.

    Raises:
      ValueError: the config is wrong or does not fit the workdir or the data.
      NotFiniteError: a loss is not finite; the last checkpoint is from before.
    """
    run = RunConfig(**config.run)
    step_of_system = building.make_train_step(config)
    system = step_of_system.system
    num_steps, batch_size = config.optimiser.num_steps, config.data.batch_size
    mesh = sharding.make_mesh(sharding.ShardingConfig(**config.sharding).num_fsdp)
    sharding.check_batch_size(batch_size, mesh)
    batches = Batches(
        DataConfig(**config.data),
        PairConfig(**config.pairs),
        system.needs_prior,
        sharding.local_rows(batch_size),
    )
    workdir.mkdir(parents=True, exist_ok=True)
    checkpointing.save_config(config, workdir)

    key = jax.random.key(run.seed, impl=building.RNG_IMPL)
    state = building.create_state(step_of_system, key, batches.batch(0), mesh)
    key = jax.random.fold_in(key, 1)
    train_step = building.compile_step(step_of_system, key, state)
    pictures = PictureMaker(system, batches, run.num_pictures)
    quick = None
    if run.evaluate_every_x_steps:
        quick = QuickEvaluation(system, batches, run.num_evaluated)
    clock, watch = Clock(batch_size), FiniteWatch(workdir)
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(StopRequest())
        checkpoints = checkpointing.Checkpoints(workdir, run.num_checkpoints)
        stack.callback(checkpoints.close)
        state = checkpoints.restore_latest(state) or state
        start = int(state.step)
        log = metrics.RunLog(workdir, start)
        stack.callback(log.close)
        logger.info("training from step %d to %d in %s", start, num_steps, workdir)
        for step, batch in enumerate(batches.iterate(start, num_steps), start + 1):
            state, values = train_step(state, sharding.to_devices(batch, mesh))
            watch.note(step, batch, values)
            stopping = stop.requested
            last = step == num_steps or stopping
            if last or step % run.log_every_x_steps == 0:
                _log_scalars(log, step, values, clock.rate(step))
            if last or step % run.picture_every_x_steps == 0:
                log.picture(step, pictures(state))
            if quick and (last or step % run.evaluate_every_x_steps == 0):
                _log(log, step, quick(state))  # batches go on being made meanwhile
            if last or step % run.checkpoint_every_x_steps == 0:
                watch.check()
                checkpoints.save(state)
            if stopping:
                logger.info("asked to stop: step %d is saved", step)
                break
    return state


class Clock:
    """Pairs per second between two readings."""

    def __init__(self, batch_size: int) -> None:
        self._batch_size = batch_size
        self._step: int | None = None
        self._time = 0.0

    def rate(self, step: int) -> float | None:
        """Returns pairs per second since the last reading; None at the first."""
        before, then = self._step, self._time
        self._step, self._time = step, time.monotonic()
        if before is None:
            return None
        return (step - before) * self._batch_size / (self._time - then)


def _log_scalars(
    log: metrics.RunLog, step: int, values: dict[str, jax.Array], rate: float | None
) -> None:
    """One line of losses."""
    numbers = {name: float(value) for name, value in values.items()}
    if rate is not None:
        numbers["pairs_per_second"] = rate
    _log(log, step, numbers)


def _log(log: metrics.RunLog, step: int, numbers: dict[str, float]) -> None:
    """Numbers to files and screen."""
    log.scalars(step, numbers)
    text = " ".join(f"{name} {value:.3f}" for name, value in numbers.items())
    logger.info("step %d: %s", step, text)
