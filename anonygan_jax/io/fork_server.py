"""A process from which workers are forked, with what they import.

It imports while the main process does, and its workers share its memory. Spawned
workers import one by one, after the main process.
"""

import contextlib
import multiprocessing
import multiprocessing.forkserver
import signal
import threading
from collections.abc import Iterator, Sequence
from typing import Any

_is_started: list[bool] = []


def start(modules: Sequence[str]) -> None:
    """Starts the process, once; does nothing on Windows, which cannot fork.

    Args:
      modules: that it imports; none of them may start a thread that works on its own.
    """
    if "forkserver" in multiprocessing.get_all_start_methods():
        multiprocessing.set_forkserver_preload(list(modules))
        with deaf_to_interrupts():
            multiprocessing.forkserver.ensure_running()
        _is_started.append(True)


@contextlib.contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Context in which processes are started that ignore Ctrl-C from their beginning.

    It is this process' to handle; theirs would be tracebacks of what they import.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def leave() -> None:
    """Lets later workers be spawned.

    CUDA is unusable after a fork, and onnxruntime-gpu may begin with it at its import.
    """
    _is_started.clear()


def context() -> Any:
    """Returns multiprocessing's context: forked after `start`, else spawned."""
    return multiprocessing.get_context("forkserver" if _is_started else "spawn")
