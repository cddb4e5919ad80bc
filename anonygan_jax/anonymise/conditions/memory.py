"""Memory of the condition that each person got."""

import threading
from typing import Any

import numpy as np

from anonygan_jax.anonymise.conditions.selector import (
    ConditionSelector,
    NoConditionError,
    Source,
)
from anonygan_jax.recognition.thresholds import SAME_PERSON

DESCRIPTOR_SIZE = 128
FIRST_CAPACITY = 64
# Of the squared lengths: exceeds the rounding error of a squared distance that is
# computed from a float32 product of 128 terms.
ROUNDING = 1e-4


class IdentityMemory:
    """Condition of each person met, found by the nearest descriptor; can be pickled."""

    def __init__(self) -> None:
        self._descriptors = np.zeros((FIRST_CAPACITY, DESCRIPTOR_SIZE), np.float32)
        self._squares = np.zeros(FIRST_CAPACITY, np.float32)  # squared lengths
        self._conditions: list[str] = []
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """Returns what is sent to another process: all but the lock."""
        with self._lock:
            return {k: v for k, v in self.__dict__.items() if k != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def condition_for(
        self,
        selector: ConditionSelector,
        source: Source,
        seed: str,
        in_same_frame: set[str],
        suggested: str | None = None,
    ) -> str:
        """Returns the person whose face a source gets, and remembers it.

        Args:
          in_same_frame: people whose faces others in the same image got; they are
            avoided if another person is left.
          suggested: taken if the source was never met; None for the selector's choice.

        Raises:
          NoConditionError: every condition resembles the source.
        """
        known = self.recall(source.descriptor)
        person = known or suggested
        if person is None or person in in_same_frame:
            try:
                selected = selector.select(source, seed, frozenset(in_same_frame))
            except NoConditionError:
                selected = selector.select(source, seed)
            person = selected.person
        if person != known:
            self.remember(source.descriptor, person)
        return person

    def recall(self, descriptor: np.ndarray) -> str | None:
        """Returns the condition of the nearest source; None if none is the same person.

        Args:
          descriptor: float32 [128], dlib's.
        """
        with self._lock:
            count = len(self._conditions)
            if not count:
                return None
            # One product ranks all sources; those nearest by it are measured exactly.
            squares = self._squares[:count]
            square = np.float32(descriptor @ descriptor)
            query = descriptor.astype(np.float32)
            apart = squares - 2 * (self._descriptors[:count] @ query) + square
            slack = ROUNDING * (squares.max() + square)
            near = np.flatnonzero(apart <= apart.min() + slack)
            exact = np.linalg.norm(self._descriptors[near] - descriptor, axis=-1)
            nearest = int(np.argmin(exact))
            is_same = exact[nearest] < SAME_PERSON
            return self._conditions[near[nearest]] if is_same else None

    def remember(self, descriptor: np.ndarray, condition: str) -> None:
        """Adds a source, float32 [128], and the condition's person."""
        with self._lock:
            count = len(self._conditions)
            if count == len(self._descriptors):
                grown = np.zeros_like(self._descriptors)
                self._descriptors = np.concatenate([self._descriptors, grown])
                self._squares = np.concatenate([self._squares, grown[:, 0]])
            self._descriptors[count] = descriptor
            self._squares[count] = self._descriptors[count] @ self._descriptors[count]
            self._conditions.append(condition)
