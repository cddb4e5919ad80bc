"""Requests to stop a run, from a person or a cluster, agreed on by all processes."""

import os
import signal
from types import FrameType

import jax
from jax.experimental import multihost_utils


class StopRequest:
    """Context in which SIGINT and SIGTERM ask the loop to stop after its step.

    A second signal stops at once. Of several processes one that is asked stops all,
    after the same step: JAX watches SIGTERM in each of them.
    """

    def __enter__(self) -> "StopRequest":
        self._asked = False
        self._several = jax.process_count() > 1
        numbers = [signal.SIGINT] if self._several else [signal.SIGINT, signal.SIGTERM]
        self._before = {n: signal.signal(n, self._note) for n in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def requested(self, step: int) -> bool:
        """Returns whether the run stops after a step; all processes get one answer.

        Args:
          step: number of the step; each process asks about each step once, in order.
        """
        if self._several:
            return bool(multihost_utils.reached_preemption_sync_point(step))
        return self._asked

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        if self._several:
            os.kill(os.getpid(), signal.SIGTERM)
