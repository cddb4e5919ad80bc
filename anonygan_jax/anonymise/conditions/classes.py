"""Whose face is put there, where a method draws people by their numbers."""

import numpy as np

from anonygan_jax.anonymise.conditions.selector import (
    AUTO,
    ConditionError,
    NoConditionError,
    SelectedCondition,
    Source,
    seeded_choice,
)
from anonygan_jax.composites.bank import Bank


class ClassSelector:
    """Chooses people by number; whom a source looks like does not matter.

    See `conditions.ConditionSelector`.
    """

    def __init__(self, condition: str | Bank, num_people: int) -> None:
        """Takes who may be chosen.

        Args:
          condition: "auto" for all, or the number of the only one; nothing else.
          num_people: that the method can draw.

        Raises:
          ConditionError: it is neither.
        """
        self._numbers = list(range(num_people))
        if condition != AUTO:
            text = str(condition)
            if not text.isdecimal() or int(text) >= num_people:
                raise ConditionError(
                    f"{text!r} is no person of this checkpoint: give the number of "
                    f"one, 0 to {num_people - 1}, or auto"
                )
            self._numbers = [int(text)]

    def select(
        self,
        source: Source,
        seed: str,
        excluded: frozenset[str] = frozenset(),
        prefer_dissimilar: bool = False,
    ) -> SelectedCondition:
        """Returns somebody, drawn by the seed.

        Raises:
          NoConditionError: nobody is left.
        """
        left = [n for n in self._numbers if str(n) not in excluded]
        if not left:
            raise NoConditionError("nobody is left to draw")
        return _selected(seeded_choice(left, seed))

    def best_face_of(self, person: str, source: Source) -> SelectedCondition | None:
        """Returns a person, who has one face."""
        return _selected(int(person))

    def get(self, number: int) -> np.ndarray:
        """Returns one person as a batch."""
        return np.array([number])


def _selected(number: int) -> SelectedCondition:
    return SelectedCondition(number, str(number), f"person {number}")
