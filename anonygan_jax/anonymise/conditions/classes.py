"""Conditions that are class numbers: identities that a generator was trained on."""

import numpy as np

from anonygan_jax.anonymise.conditions import selector
from anonygan_jax.composites.bank import Bank


class ClassSelector:
    """Draws class numbers, whatever the source looks like; see `ConditionSelector`."""

    def __init__(self, conditions: str | Bank, num_classes: int) -> None:
        """Takes the classes that may be drawn.

        Args:
          conditions: "auto" for all classes, or the number of one.

        Raises:
          ConditionError: `conditions` is neither.
        """
        self._numbers = list(range(num_classes))
        if conditions != selector.AUTO_CONDITION:
            text = str(conditions)
            if not text.isdecimal() or int(text) >= num_classes:
                raise selector.ConditionError(
                    f"{text!r} is no person of this checkpoint: give the number of "
                    f"one, 0 to {num_classes - 1}, or auto"
                )
            self._numbers = [int(text)]

    def select(
        self,
        source: selector.Source,
        seed: str,
        excluded: frozenset[str] = frozenset(),
        prefer_dissimilar: bool = False,
    ) -> selector.SelectedCondition:
        """Returns a class drawn by the seed.

        Raises:
          NoConditionError: all classes are excluded.
        """
        left = [n for n in self._numbers if str(n) not in excluded]
        if not left:
            raise selector.NoConditionError("nobody is left to draw")
        return _selected(selector.seeded_choice(left, seed))

    def best_face_of(
        self, person: str, source: selector.Source
    ) -> selector.SelectedCondition | None:
        """Returns the class of a person."""
        return _selected(int(person))

    def get(self, number: int) -> np.ndarray:
        """Returns int [1], one class as a batch."""
        return np.array([number])


def _selected(number: int) -> selector.SelectedCondition:
    """A class by its number."""
    return selector.SelectedCondition(number, str(number), f"person {number}")
