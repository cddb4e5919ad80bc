"""The training loop."""

import contextlib
import logging
import pathlib
import signal
from types import FrameType

import jax
import ml_collections

from anonygan_jax import building, metrics, sharding
from anonygan_jax.checkpointing import Checkpoints
from anonygan_jax.data.feeding import feed
from anonygan_jax.data.pairs import PairConfig
from anonygan_jax.data.pipeline import Batches, DataConfig
from anonygan_jax.finite_watch import FiniteWatch
from anonygan_jax.instruments import Profiler, Speedometer
from anonygan_jax.reports import Reports
from anonygan_jax.run_config import RunConfig, save_config
from anonygan_jax.train_state import TrainState

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
    run, train_step = RunConfig(**config.run), building.make_train_step(config)
    mesh = sharding.make_mesh(sharding.ShardingConfig(**config.sharding).num_fsdp)
    batch_size, num_steps = config.data.batch_size, config.optimiser.num_steps
    sharding.check_batch_size(batch_size, mesh)
    batches = Batches(
        DataConfig(**config.data),
        PairConfig(**config.pairs),
        train_step.system.needs_prior,
        sharding.local_rows(batch_size),
    )
    workdir.mkdir(parents=True, exist_ok=True)
    save_config(config, workdir)

    key = jax.random.key(run.seed, impl=building.RNG_IMPL)
    state = building.create_state(train_step, key, batches.batch(0), mesh)
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(StopRequest())
        checkpoints = Checkpoints(workdir, run.num_checkpoints, run.best_by)
        stack.callback(checkpoints.close)
        state = checkpoints.restore_latest(state) or state
        start = int(state.step)
        if start >= num_steps:
            logger.info("step %d is the last one and saved in %s", start, workdir)
            return state
        reports = Reports(run, train_step.system, batches)
        update = building.compile_step(
            train_step,
            jax.random.fold_in(key, 1),
            state,
            sharding.to_devices(batches.batch(start), mesh),
        )
        speed = Speedometer(
            batch_size, building.num_flops(update), jax.devices()[0].device_kind
        )
        log = metrics.RunLog(workdir, start, num_steps)
        stack.callback(log.close)
        profiler = Profiler(workdir, profile)
        stack.callback(profiler.close)
        watch = FiniteWatch(workdir, batches)
        logger.info("training from step %d to %d in %s", start, num_steps, workdir)
        fed = feed(batches, start, num_steps, mesh)
        for step, batch in enumerate(fed, start + 1):
            profiler.before(step)
            state, values = update(state, batch)
            profiler.after(step, state)
            watch.note(step, values)
            log.progress(step)
            stopping = stop.requested
            last = step == num_steps or stopping
            measures = reports(log, speed, state, values, step, last)
            if last or step % run.checkpoint_every_x_steps == 0:
                watch.check()
                checkpoints.save(state, measures)
            if stopping:
                logger.info("asked to stop: step %d is saved", step)
                break
    return state
