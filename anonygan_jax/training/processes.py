"""Several processes that train one model together."""

import os
import sys
import zlib
from collections.abc import Iterable
from typing import NoReturn

import jax
import numpy as np
from jax.experimental import multihost_utils
from orbax.checkpoint import multihost

MEETING_TIMEOUT = 3600  # seconds: how much longer one may compile than another
# A process that says nothing for so long is lost: the others end.
HEARTBEAT_TIMEOUT = 60  # seconds


def join(address: str | None, count: int | None, number: int | None) -> None:
    """Connects this process with the others of a run.

    Must be called before anything else of JAX.

    Args:
      address: HOST:PORT of process 0; None: the cluster says it (Cloud TPU, SLURM,
        GKE, MPI).
      count: of processes, likewise.
      number: of this process, from 0, likewise.

    Raises:
      ValueError: no cluster says what is not given, or the others are not reached.
    """
    try:
        jax.distributed.initialize(
            address,
            count,
            number,
            heartbeat_timeout_seconds=HEARTBEAT_TIMEOUT,
            shutdown_timeout_seconds=HEARTBEAT_TIMEOUT,
        )
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"--distributed: the processes are not connected ({reason}); where no "
            "cluster says it, give --coordinator_address, --num_processes, --process_id"
        ) from error


def fail(reason: str) -> NoReturn:
    """Ends this process with exit code 1 and one line; others notice and end, too.

    With several processes at once: Python's own end would wait for all of them.

    Args:
      reason: of the failure.
    """
    if jax.process_count() == 1:
        sys.exit(f"error: {reason}")
    print(f"error: {reason}", file=sys.stderr, flush=True)
    os._exit(1)


def reason_of(error: jax.errors.JaxRuntimeError) -> str | None:
    """Returns one line for a failed step; None if it can only be a fault of ours.

    Args:
      error: of a step.
    """
    reason = " ".join(str(error).split())[:200]
    if reason.startswith("RESOURCE_EXHAUSTED"):
        return (
            f"out of memory ({reason}); lower data.batch_size, or raise "
            "optimiser.num_microbatches"
        )
    if jax.process_count() > 1:
        return (
            f"a process of this run was lost, or a step failed ({reason}); start all "
            "of them again, the run goes on from its newest checkpoint"
        )
    return None


def meet(place: str) -> None:
    """Waits until all processes are here; one that is lost ends the others.

    To be called after what takes the processes unequal time, as compiling, and before
    they compute together: that waits for half a minute on CPUs, and fails then.

    Args:
      place: its name.
    """
    wait = multihost.get_barrier_sync_fn()  # nothing to wait for in a single process
    wait(key=place, timeout_ms=MEETING_TIMEOUT * 1000)


def all_agree(answer: bool) -> bool:
    """Returns whether all processes say yes; each must ask at the same place."""
    return bool(np.all(_gathered(int(answer))))


def is_same(numbers: Iterable[int]) -> bool:
    """Returns whether all processes have the same numbers, in the same order."""
    digest = zlib.crc32(repr(list(numbers)).encode())
    return len(np.unique(_gathered(digest))) == 1


def _gathered(number: int) -> np.ndarray:
    """The number of each process."""
    return np.asarray(multihost_utils.process_allgather(np.uint32(number)))
