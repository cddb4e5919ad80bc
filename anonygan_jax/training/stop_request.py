"""Requests to stop a run, from a person or a cluster, agreed on by all processes."""

import os
import signal
from types import FrameType

import jax
from jax.experimental import multihost_utils


class StopRequest:
    """Context in which SIGINT and SIGTERM ask the loop to stop after its step.

    A second signal stops one process at once. Of several processes one that is asked
    stops all, after the same step: JAX watches SIGTERM in each of them.
    """

    def __enter__(self) -> "StopRequest":
        self._asked, self._agreed, self._num_calls = False, False, 0
        self._several = jax.process_count() > 1
        numbers = [signal.SIGINT] if self._several else [signal.SIGINT, signal.SIGTERM]
        self._before = {n: signal.signal(n, self._note) for n in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def requested(self) -> bool:
        """Returns whether the run stops now; all processes get one answer.

        All processes must call it equally often. A run that stops does not go on.
        """
        if not self._several:
            return self._asked
        # JAX agrees on a number of calls that no process has reached. Before the first
        # call that is 1, so the numbers of a resumed run's steps would be too large.
        self._num_calls += 1
        stopping = multihost_utils.reached_preemption_sync_point(self._num_calls)
        self._agreed = self._agreed or bool(stopping)
        return self._agreed

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        if self._several:
            os.kill(os.getpid(), signal.SIGTERM)
