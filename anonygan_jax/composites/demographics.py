"""Groups of apparent gender and age, guessed from descriptors.

The guess is linear least squares on dlib's descriptors of the donors. It only ranks
conditions and divides the photos of an evaluation; no result stores it.
"""

import dataclasses

import numpy as np

from anonygan_jax.composites.donors import Donor
from anonygan_jax.composites.generate import Composite
from anonygan_jax.recognition.table import DLIB

OLDER = 32.0  # years; about half of the embedded bank's donors are older
RIDGE = 1.0  # weight of the penalty; descriptors have a length of about 1.4


@dataclasses.dataclass(frozen=True)
class Demographics:
    """Groups, and a linear map that guesses them.

    Attributes:
      names: of the groups, [G].
      map: float32 [129, G], from a descriptor and a one to shares.
    """

    names: tuple[str, ...]
    map: np.ndarray

    def guess(self, descriptor: np.ndarray) -> np.ndarray:
        """Returns the guessed share of each group, float [G], by descriptor [128]."""
        raw = np.clip(np.append(descriptor, 1.0) @ self.map, 0, None)
        return raw / max(float(raw.sum()), 1e-6)

    def likeliest(self, descriptor: np.ndarray) -> str:
        """Returns the group of the largest guessed share."""
        return self.names[int(np.argmax(self.guess(descriptor)))]

    def shares(self, composite: Composite) -> np.ndarray:
        """Returns the share of each group in a composite's weights, float [G].

        Shares sum to 1, none is below 0; donors whose group is not known are left out.
        """
        shares = np.zeros(len(self.names))
        for donor, weight in zip(composite.donors, composite.weights, strict=True):
            if name := _group(donor):
                shares[self.names.index(name)] += weight
        shares = np.maximum(shares, 0)
        return shares / max(float(shares.sum()), 1e-6)


def fit_demographics(donors: list[Donor]) -> Demographics | None:
    """Returns the groups of donors and a map fitted to them; None without groups."""
    known = [donor for donor in donors if _group(donor)]
    if not known:
        return None
    names = tuple(sorted({_group(donor) or "" for donor in known}))
    rows = [(p, _group(d)) for d in known for p in d.portraits.values()]
    inputs = np.stack([np.append(p.descriptors[DLIB], 1.0) for p, _ in rows])
    targets = np.array([[name == group for name in names] for _, group in rows], float)
    penalty = RIDGE * np.eye(inputs.shape[1])
    penalty[-1, -1] = 0.0
    solved = np.linalg.solve(inputs.T @ inputs + penalty, inputs.T @ targets)
    return Demographics(names, solved.astype(np.float32))


def _group(donor: Donor) -> str | None:
    """A donor's group, "female under 32"; None if gender and age are not both known."""
    if donor.gender is None or donor.age is None:
        return None
    side = "under" if donor.age < OLDER else "from"
    return f"{donor.gender} {side} {OLDER:.0f}"
