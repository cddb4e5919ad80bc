"""What selectors of conditions have in common."""

import dataclasses
import hashlib
from typing import Any, Protocol

import numpy as np

from anonygan_jax.methods.method import MethodError
from anonygan_jax.recognition.table import DLIB

AUTO_CONDITION = "auto"  # any condition that fits; not `methods.AUTO_METHOD`


class ConditionError(ValueError):
    """A condition that cannot be used."""


class NoConditionError(MethodError):
    """A face for which no condition may be used."""


@dataclasses.dataclass(frozen=True)
class Source:
    """What is measured of a source to select its condition.

    Attributes:
      attributes: float32 [7], see `attributes.ATTRIBUTES`.
      descriptors: float32 [D] by the recogniser's name, see `IdentityCheck`.
    """

    attributes: np.ndarray
    descriptors: dict[str, np.ndarray]

    @property
    def descriptor(self) -> np.ndarray:
        """dlib's, float32 [128]: people are remembered and selected by it."""
        return self.descriptors[DLIB]


@dataclasses.dataclass(frozen=True)
class SelectedCondition:
    """A condition.

    Attributes:
      number: of the face in its bank, or of the class.
      person: whose face it is.
      name: what the report calls it.
    """

    number: int
    person: str
    name: str


class ConditionSelector(Protocol):
    """Selects a condition for each source."""

    def select(
        self,
        source: Source,
        seed: str,
        excluded: frozenset[str] = frozenset(),
        prefer_dissimilar: bool = False,
    ) -> SelectedCondition:
        """Returns a condition; see `BankSelector.select`."""
        ...

    def best_face_of(self, person: str, source: Source) -> SelectedCondition | None:
        """Returns the face of a person that fits best; None if none may be used."""
        ...

    def get(self, number: int) -> Any:
        """Returns one condition as a batch; see `Replacer.num_classes`."""
        ...


def seeded_choice(numbers: list[int], seed: str) -> int:
    """Returns one of the numbers; the same one for the same numbers and seed."""
    digest = hashlib.sha256(seed.encode()).digest()
    return numbers[int.from_bytes(digest[:8], "big") % len(numbers)]
