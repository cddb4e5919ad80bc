"""Batches through Grain, whose processes make them while the training step runs."""

import contextlib
import gc
import pathlib
import shutil
import signal
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import resource_tracker
from typing import Any

import cv2
import jax
import numpy as np
from absl import flags

from anonygan_jax.data.batches import BatchLoader, PairBatch
from anonygan_jax.data.warped_conditions import prepare_process
from anonygan_jax.io.prefetch import ordered_map
from anonygan_jax.io.worker_process import WorkerDied, end_with_parent

NUM_READY = 2  # batches of each process that wait, beside the one that it makes
SHARED_MEMORY = "/dev/shm"


def grain_batches(batches: BatchLoader, start: int, stop: int) -> Generator[PairBatch]:
    """Yields the batches of steps `start` to `stop` - 1, each made by one process.

    The processes take turns, so neither their number nor their speed changes the
    batches. They end with the generator, and with this process.

    Args:
      batches: of the run.
      start, stop: steps.

    Raises:
      RecordsError, PackError: a picture is damaged.
      ValueError: the shared memory is too small for the batches.
      WorkerDied: a process died.
    """
    num_workers = min(batches.num_workers, stop - start)
    _check_shared_memory(batches.batch(start), num_workers)
    steps = [range(first, stop, num_workers) for first in range(start, stop)]
    workers = [_in_a_process(batches, part) for part in steps[:num_workers]]

    def receive(step: int) -> PairBatch:
        try:
            shared = next(workers[(step - start) % num_workers])
        except RuntimeError as error:  # Grain's, for a process that is gone
            raise WorkerDied(f"a process that makes batches ended: {error}") from error
        return jax.tree.map(np.array, shared)  # a copy: frees the shared memory

    with contextlib.ExitStack() as stack:
        stack.callback(_close, workers)  # one after another they take seconds each
        pool = ThreadPoolExecutor(num_workers)
        stack.callback(pool.shutdown, cancel_futures=True)
        made = ordered_map(pool, receive, range(start, stop), num_workers)
        with _signals_kept_from_children():
            first = next(made)
        yield first
        yield from made


def _in_a_process(batches: BatchLoader, steps: range) -> Iterator[PairBatch]:
    """The batches of some steps, made by one process, which starts when it is used."""
    import grain

    if not flags.FLAGS.is_parsed():  # Grain reads flags; not every program parses any
        flags.FLAGS.mark_as_parsed()
    return iter(
        grain.MapDataset.range(steps.start, steps.stop, steps.step)
        .map(batches.batch)
        .to_iter_dataset(grain.ReadOptions(num_threads=0, prefetch_buffer_size=0))
        .mp_prefetch(grain.MultiprocessingOptions(1, NUM_READY), _prepare_process)
    )


def _close(workers: Sequence[Any]) -> None:
    """Ends the processes of Grain's iterators, all at once."""
    with ThreadPoolExecutor(len(workers)) as pool:
        list(pool.map(lambda worker: worker.close(), workers))
    gc.collect()  # closed ones hold shared memory, and themselves in a circle


def _check_shared_memory(batch: PairBatch, num_workers: int) -> None:
    """Raises ValueError if batches do not fit: writing them would kill a process."""
    if not pathlib.Path(SHARED_MEMORY).exists():  # of Linux
        return
    held = num_workers * (NUM_READY + 2)
    needed = held * sum(field.nbytes for field in jax.tree.leaves(batch))
    free = shutil.disk_usage(SHARED_MEMORY).free
    if free < needed:
        raise ValueError(
            f"{SHARED_MEMORY} has {free >> 20} MB free, but {num_workers} processes "
            f"need {needed >> 20}; give the container more (docker's --shm-size), or "
            "set data.num_workers to fewer"
        )


@contextlib.contextmanager
def _signals_kept_from_children() -> Iterator[None]:
    """Context in which new processes are deaf to requests to stop, from their start."""
    resource_tracker.ensure_running()  # or starting a process would unblock them
    numbers = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare_process(_index: int, _num_workers: int) -> None:
    """Ends with the parent, and uses one core."""
    end_with_parent()
    prepare_process()
    cv2.setNumThreads(1)
