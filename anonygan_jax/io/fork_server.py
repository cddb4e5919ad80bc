"""A process from which workers are forked, with what they import.

It imports while the main process does, and its workers share its memory. Spawned
workers import one by one, after the main process.
"""

import multiprocessing
import multiprocessing.forkserver
from collections.abc import Sequence
from typing import Any

_is_started: list[bool] = []


def start(modules: Sequence[str]) -> None:
    """Starts the process, once; does nothing on Windows, which cannot fork.

    Args:
      modules: that it imports; none of them may start a thread that works on its own.
    """
    if "forkserver" in multiprocessing.get_all_start_methods():
        multiprocessing.set_forkserver_preload(list(modules))
        multiprocessing.forkserver.ensure_running()
        _is_started.append(True)


def leave() -> None:
    """Lets later workers be spawned.

    CUDA is unusable after a fork, and onnxruntime-gpu may begin with it at its import.
    """
    _is_started.clear()


def context() -> Any:
    """Returns multiprocessing's context: forked after `start`, else spawned."""
    return multiprocessing.get_context("forkserver" if _is_started else "spawn")
