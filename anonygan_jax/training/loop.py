"""The training loop."""

import contextlib
import dataclasses
import logging
import pathlib
import signal
from collections.abc import Iterator
from types import FrameType

import jax
import ml_collections

from anonygan_jax.data.batches import PairBatch
from anonygan_jax.systems.train_state import TrainState
from anonygan_jax.training import factory, metric_writer, sharding
from anonygan_jax.training.checkpoints import Checkpoints
from anonygan_jax.training.config import RunConfig, save_config
from anonygan_jax.training.device_feed import iterate_on_devices
from anonygan_jax.training.hooks import Hooks
from anonygan_jax.training.init_from import init_from
from anonygan_jax.training.nan_guard import NanGuard
from anonygan_jax.training.profiling import Profiler, Throughput

logger = logging.getLogger(__name__)


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


@dataclasses.dataclass(frozen=True)
class Loop:
    """The steps of a run and what happens between them.

    Attributes:
      config: when things happen.
      num_steps: of the whole run.
      reports, checkpoints, profiler, watch: told of every step.
      stop: ends the loop after the step under way.
    """

    config: RunConfig
    num_steps: int
    reports: Hooks
    checkpoints: Checkpoints
    profiler: Profiler
    watch: NanGuard
    stop: StopRequest

    def __call__(
        self,
        update: jax.stages.Compiled,
        state: TrainState,
        batches: Iterator[PairBatch],
    ) -> TrainState:
        """Returns the state after the last batch, or after that in which to stop.

        Args:
          update: the compiled step.
          state: from which to go on.
          batches: of the steps to do.
        """
        for step, batch in enumerate(batches, int(state.step) + 1):
            self.profiler.before(step)
            state, values = update(state, batch)
            self.profiler.after(step, state)
            self.watch.note(step, values)
            stopping = self.stop.requested
            last = step == self.num_steps or stopping
            measures = self.reports(step, state, values, last)
            if last or step % self.config.checkpoint_every_x_steps == 0:
                self.watch.check()
                self.checkpoints.save(state, measures)
            if stopping:
                logger.info("asked to stop: step %d is saved", step)
                break
        return state


def train_and_evaluate(
    config: ml_collections.ConfigDict,
    workdir: pathlib.Path,
    profile: tuple[int, int] | None = None,
) -> TrainState:
    """Trains to the last step and returns the final state.

    Continues from the newest checkpoint in `workdir`. On Ctrl-C or a kill the state is
    saved before the function returns.

    Args:
      config: of the run.
      workdir: where it is, or shall be.
      profile: first and last step to record, see `Profiler`.

    Raises:
      ValueError: the config is wrong or does not fit the workdir or the data, or no
        checkpoint can be read or written.
      NotFiniteError: a loss is not finite; the last checkpoint is from before.
    """
    run, stages = RunConfig(**config.run), factory.make_stages(config)
    train_step, num_steps = stages[-1].train_step, stages[-1].stop
    mesh = factory.make_mesh(config)
    batches = factory.open_batches(config, train_step.system)
    workdir.mkdir(parents=True, exist_ok=True)
    save_config(config, workdir)
    key = jax.random.key(run.seed, impl=factory.RNG_IMPL)
    state = factory.create_state(train_step, key, batches.batch(0), mesh)
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(StopRequest())
        checkpoints = Checkpoints(workdir, run.num_checkpoints, run.best_by)
        stack.callback(checkpoints.close)
        restored = checkpoints.restore_latest(state)
        if restored is None and run.init_from:
            restored = init_from(state, run.init_from)
        state = restored or state
        start = int(state.step)
        if start >= num_steps:
            logger.info("step %d is the last one and saved in %s", start, workdir)
            return state
        like = sharding.to_devices(batches.batch(start), mesh)
        key = jax.random.fold_in(key, 1)
        log = metric_writer.MetricWriter(workdir, start, num_steps)
        stack.callback(log.close)
        reports = Hooks(run, train_step.system, batches, log)
        profiler = Profiler(workdir, profile)
        stack.callback(profiler.close)
        watch = NanGuard(workdir, batches)
        loop = Loop(run, num_steps, reports, checkpoints, profiler, watch, stop)
        for stage in stages:
            if start >= stage.stop or stop.requested:
                continue
            update = factory.compile_step(stage.train_step, key, state, like)
            flops, kind = factory.num_flops(update), jax.devices()[0].device_kind
            reports.speed = Throughput(config.data.batch_size, flops, kind)
            message = "%s from step %d to %d in %s"
            logger.info(message, stage.name, start, stage.stop, workdir)
            state = loop(
                update, state, iterate_on_devices(batches, start, stage.stop, mesh)
            )
            start = stage.stop
        return state
