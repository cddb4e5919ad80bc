"""Several processes that train one model together."""

import os
import sys
from typing import NoReturn

import jax

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
        )
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"--distributed: the processes are not connected ({reason}); where no "
            "cluster says it, give --coordinator_address, --num_processes, --process_id"
        ) from error


def leave(error: jax.errors.JaxRuntimeError) -> NoReturn:
    """Ends this process with exit code 1 and one line, after another one was lost.

    JAX's own end would wait for the lost process, and then abort.

    Args:
      error: of a step.
    """
    reason = " ".join(str(error).split())[:200]
    print(
        f"error: a process of this run was lost ({reason}); start all of them again, "
        "the run goes on from its newest checkpoint",
        file=sys.stderr,
        flush=True,
    )
    os._exit(1)
