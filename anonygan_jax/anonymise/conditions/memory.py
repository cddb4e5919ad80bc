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
COMPARED_AT_ONCE = 4096  # sources; their products stay in the processor's cache
_NOBODY = (-1, float("inf"))


class IdentityMemory:
    """Condition of each person met, found by the nearest descriptor; can be pickled."""

    def __init__(self) -> None:
        self._descriptors = np.zeros((FIRST_CAPACITY, DESCRIPTOR_SIZE), np.float32)
        self._squares = np.zeros(FIRST_CAPACITY, np.float32)  # squared lengths
        self._conditions: list[str] = []
        # Of descriptors compared ahead: how many were known, the nearest of them.
        self._ahead: dict[bytes, tuple[int, tuple[int, float]]] = {}
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """Returns what is sent to another process: who is remembered."""
        with self._lock:
            left = ("_lock", "_ahead")
            return {k: v for k, v in self.__dict__.items() if k not in left}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock(), _ahead={})

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
            first, (place, distance) = 0, _NOBODY
            if descriptor.tobytes() in self._ahead:
                first, (place, distance) = self._ahead[descriptor.tobytes()]
            if first < count:
                ((newer, apart),) = self._nearest(descriptor[None], first, count)
                if apart < distance:  # of two as near the older one
                    place, distance = newer, apart
            return self._conditions[place] if place >= 0 else None

    def compare_ahead(self, descriptors: np.ndarray) -> None:
        """Compares many with the sources that are known now, at once.

        `recall` then compares each of them with the newer ones alone, until the next
        call. It returns the same.

        Args:
          descriptors: float32 [N, 128].
        """
        with self._lock:
            count, self._ahead = len(self._conditions), {}
            if count:
                nearest = self._nearest(descriptors, 0, count)
                for descriptor, one in zip(descriptors, nearest, strict=True):
                    self._ahead[descriptor.tobytes()] = count, one

    def _nearest(
        self, queries: np.ndarray, first: int, end: int
    ) -> list[tuple[int, float]]:
        """Number and distance of the nearest of some sources that is the same person.

        For each query; _NOBODY if there is none.
        """
        best = [_NOBODY] * len(queries)
        lengths = np.square(queries).sum(-1)
        for start in range(first, end, COMPARED_AT_ONCE):
            part = slice(start, min(start + COMPARED_AT_ONCE, end))
            known, squares = self._descriptors[part], self._squares[part]
            # Products exclude almost all; those that are left are measured exactly.
            apart = (-2 * queries).astype(np.float32) @ known.T
            apart += squares
            limits = SAME_PERSON**2 - lengths + ROUNDING * (squares.max() + lengths)
            rows, near = np.nonzero(apart <= limits[:, None])
            exact = np.linalg.norm(known[near] - queries[rows], axis=-1)
            for one in np.flatnonzero(exact < SAME_PERSON):
                if exact[one] < best[rows[one]][1]:  # of two as near the older one
                    best[rows[one]] = start + int(near[one]), float(exact[one])
        return best

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
