"""The training loop."""

import contextlib
import dataclasses
import logging
import pathlib
from collections.abc import Iterator

import jax
import ml_collections

from anonygan_jax.data.batches import PairBatch
from anonygan_jax.systems.train_state import TrainState
from anonygan_jax.training import factory, metric_writer, sharding
from anonygan_jax.training.checkpoints import Checkpoints
from anonygan_jax.training.config import RunConfig, save_config
from anonygan_jax.training.device_feed import iterate_on_devices
from anonygan_jax.training.hooks import Hooks
from anonygan_jax.training.init_from import init_from, read_initial
from anonygan_jax.training.nan_guard import NanGuard
from anonygan_jax.training.profiling import Profiler, Throughput
from anonygan_jax.training.stop_request import StopRequest
from anonygan_jax.weights.checkpoint_folder import saved_steps

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Loop:
    """The steps of a run and what is done between them.

    Attributes:
      config: periods.
      num_steps: of the whole run.
      hooks, checkpoints, profiler, nan_guard: called at every step.
      stop: ends the loop after the current step.
    """

    config: RunConfig
    num_steps: int
    hooks: Hooks
    checkpoints: Checkpoints
    profiler: Profiler
    nan_guard: NanGuard
    stop: StopRequest

    def __call__(
        self,
        update: jax.stages.Compiled,
        state: TrainState,
        batches: Iterator[PairBatch],
    ) -> TrainState:
        """Returns the state after the last batch, or after the step of a stop request.

        Args:
          update: the compiled step.
          state: before the first of the batches.
          batches: one for each step.

        Raises:
          NotFiniteError: too many updates are not finite.
          CheckpointError: a checkpoint cannot be written.
        """
        for step, batch in enumerate(batches, int(state.step) + 1):
            self.profiler.before(step)
            state, values = update(state, batch)
            self.profiler.after(step, state)
            self.nan_guard.note(step, values)
            stopping = self.stop.requested()
            last = step == self.num_steps or stopping
            measures = self.hooks(step, state, values, last)
            if last or step % self.config.checkpoint_every_x_steps == 0:
                self.nan_guard.check()
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

    Continues from the newest checkpoint in `workdir`. On SIGINT or SIGTERM, of any
    process, the state is saved before the function returns.

    Args:
      config: of the run.
      workdir: of the run; made if it does not exist.
      profile: first and last step to record, see `Profiler`.

    Raises:
      ValueError, TypeError: the config is wrong or does not fit the workdir or the
        data, or no checkpoint can be read or written.
      NotFiniteError: too many updates are not finite; none of them is in a checkpoint.
    """
    run, stages = RunConfig(**config.run), factory.make_stages(config)
    train_step, num_steps = stages[-1].train_step, stages[-1].stop
    mesh = factory.make_mesh(config)
    chips = f"{mesh.size} {jax.devices()[0].device_kind}"
    logger.info("%s: %s, faces of %s", workdir, chips, config.data.directory)
    batches = factory.open_batches(config, train_step.system)
    initial = None  # what is missing is said before anything is compiled
    if run.init_from and not saved_steps(workdir):
        initial = read_initial(run.init_from)
    hooks = Hooks(run, train_step.config, train_step.system, batches)
    if jax.process_index() == 0:
        save_config(config, workdir)
    num_people = batches.sampler.num_people
    logger.info("%d people; compiling, a minute or more", num_people)
    key = jax.random.key(run.seed, impl=factory.RNG_IMPL)
    state = factory.create_state(train_step, key, batches.batch(0), mesh)
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(StopRequest())
        checkpoints = Checkpoints(workdir, run.num_checkpoints, run.best_by)
        stack.callback(checkpoints.close)
        restored = checkpoints.restore_latest(state)
        if restored is None and initial is not None:
            restored = init_from(state, initial, run.init_from)
        state = restored or state
        start = int(state.step)
        if start >= num_steps:
            logger.info("step %d is the last one and saved in %s", start, workdir)
            return state
        example = sharding.to_devices(batches.batch(start), mesh)
        key = jax.random.fold_in(key, 1)
        if jax.process_index() == 0:
            hooks.log = metric_writer.MetricWriter(workdir, start, config)
            stack.callback(hooks.log.close)
        profiler = Profiler(workdir, profile)
        stack.callback(profiler.close)
        guard = NanGuard(workdir, batches, run.max_skipped_steps)
        loop = Loop(run, num_steps, hooks, checkpoints, profiler, guard, stop)
        for stage in stages:
            if start >= stage.stop:
                continue
            if stop.requested():
                logger.info("asked to stop: step %d is the newest one", start)
                break
            update = factory.compile_step(stage.train_step, key, state, example)
            flops, kind = factory.num_flops(update), jax.devices()[0].device_kind
            hooks.throughput = Throughput(config.data.batch_size, flops, kind)
            message = "%s from step %d to %d in %s"
            logger.info(message, stage.name, start, stage.stop, workdir)
            feed = iterate_on_devices(batches, start, stage.stop, mesh)
            with contextlib.closing(feed):  # its threads end before the run does
                state = loop(update, state, feed)
            start = stage.stop
        return state
