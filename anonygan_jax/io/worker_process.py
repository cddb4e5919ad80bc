"""A process that has loaded a worker, and applies functions to it."""

import atexit
import contextlib
import functools
import multiprocessing
import multiprocessing.connection
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable
from typing import Any

import cv2

from anonygan_jax.io import fork_server

MAX_STARTS = 10  # of processes that end before they begin with an item
MAX_SILENCE = 600.0  # seconds without a sign of life, until a process is killed
_ALIVE = b"alive"
_to_parent: list[Any] = []  # a worker process' pipe


def sign_of_life() -> None:
    """Tells the parent of a worker process that its item goes on.

    Work that may take minutes calls this, in the process' main thread. Elsewhere it
    does nothing.
    """
    for pipe in _to_parent:
        pipe.send_bytes(_ALIVE)


class WorkerDied(RuntimeError):
    """A worker process that ended suddenly; the message says how."""


class DiedAtWork(WorkerDied):
    """A process that died while it worked on an item."""


class WorkerProcess:
    """A process with a worker; if it dies, the next call starts another."""

    def __init__(self, load: Callable[[], Any], use_one_thread: bool) -> None:
        self._load, self._use_one_thread = load, use_one_thread
        self._process: Any = None
        self._pipe: Any = None
        self._is_loaded = self._is_killed = False
        self._how = ""  # the last process ended
        self._lock = threading.Lock()  # of start and kill

    def start(self) -> None:
        """Starts the process unless it runs."""
        with self._lock:
            if self._is_killed:
                raise WorkerDied("the pool of worker processes was closed")
            if self._process is not None and self._process.is_alive():
                return
            if self._pipe is not None:
                self._pipe.close()
            context = fork_server.context()
            self._pipe, there = context.Pipe()
            arguments = there, dict(os.environ), self._load, self._use_one_thread
            self._process = context.Process(target=_work, args=arguments)
            self._process.daemon = True
            with fork_server.deaf_to_interrupts():
                self._process.start()
            # At exit Python sends SIGTERM and waits; a worker may ignore that.
            atexit.register(self.kill)
            self._is_loaded = False
            there.close()  # or the end of the process would not be noticed

    def __call__(self, work: Callable, item: Any) -> Any:
        """Returns work(worker, item); raises what it raises, or `DiedAtWork`."""
        request = pickle.dumps((work, item))  # an error here is the caller's
        self._hand_over(request)
        answer = self._received(MAX_SILENCE)
        if answer is None:
            raise DiedAtWork(self._how)
        return _value(answer)

    def _hand_over(self, request: bytes) -> None:
        """Gives a request to a loaded process; starts others until one has begun."""
        for _ in range(MAX_STARTS):
            self.start()
            if not self._is_loaded:
                answer = self._received()
                if answer is None:
                    continue
                _value(answer)
                self._is_loaded = True
            with contextlib.suppress(*_ENDED):
                self._pipe.send_bytes(request)
            if self._received() is not None:  # it says that it begins
                return
        raise WorkerDied(f"{self._how} before it began, {MAX_STARTS} times")

    def _received(self, max_silence: float | None = None) -> bytes | None:
        """What the process sends; None if it ended, which is waited for.

        Args:
          max_silence: seconds without any sign of life, after which it is killed.
        """
        try:
            while self._pipe.poll(max_silence):
                answer = self._pipe.recv_bytes()
                if answer != _ALIVE:
                    return answer
        except _ENDED:
            self._how = self._end()
            return None
        self._process.kill()
        self._process.join()
        minutes = (max_silence or 0) / 60
        self._how = f"its process stood still for {minutes:g} minutes, and was ended"
        return None

    def kill(self) -> None:
        """Kills the process; it is not started again."""
        with self._lock:
            self._is_killed = True
            if self._process is not None:
                self._process.kill()

    def end(self) -> None:
        """Ends an idle process, and waits for its end."""
        if self._process is not None:
            self._pipe.close()
            self._process.join()
            atexit.unregister(self.kill)

    def _end(self) -> str:
        """How the process ended."""
        self._process.join()
        code = self._process.exitcode
        if code == -signal.SIGKILL:
            return "its process was killed (SIGKILL), perhaps for lack of memory"
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"its process ended suddenly ({how})"


_ENDED = (EOFError, OSError)  # what a pipe raises if the process at its other end died


def _value(answer: bytes) -> Any:
    """The value that a process returned; raises what it raised."""
    is_value, value = pickle.loads(answer)  # safe: our child wrote it
    if is_value:
        return value
    raise value


def _work(
    pipe: Any,
    environment: dict[str, str],
    load: Callable[[], Any],
    use_one_thread: bool,
) -> None:
    """What a process does: loads the worker, then answers requests until the end."""
    os.environ.clear()
    os.environ.update(environment)  # a forked process has that of an earlier moment
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    end_with_parent()
    if use_one_thread:
        cv2.setNumThreads(1)
    loaded: list[Any] = []
    with contextlib.suppress(*_ENDED):  # the parent closed the pipe
        _answer(pipe, lambda: loaded.append(load()))
        while loaded:
            request = pipe.recv_bytes()
            pipe.send_bytes(b"begun")  # if this process dies now, it is by the item
            _to_parent[:] = [pipe]
            _answer(pipe, functools.partial(_apply, request, loaded[0]))


def _apply(request: bytes, worker: Any) -> Any:
    """What a function returns for the worker and an item."""
    work, item = pickle.loads(request)  # safe: our parent wrote it
    return work(worker, item)


def _answer(pipe: Any, make: Callable[[], Any]) -> None:
    """Sends the parent what a function returns or raises."""
    try:
        answer = pickle.dumps((True, make()))
    except Exception as error:  # raised again by the parent
        error.add_note(traceback.format_exc())
        answer = _pickled_error(error)
    pipe.send_bytes(answer)


def _pickled_error(error: Exception) -> bytes:
    """An error to send; its text alone if it cannot be pickled, or not read again."""
    try:
        answer = pickle.dumps((False, error))
        pickle.loads(answer)
    except Exception:  # of the error's own code; its text is sent
        text = f"{type(error).__name__}: {error}"
        return pickle.dumps((False, RuntimeError(text)))
    return answer


def end_with_parent() -> None:
    """Ends this process when its parent ends, even in the middle of its work."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    """Ends this process when its parent has ended."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)
