"""Who belongs together by pose, skin tone and apparent group."""

from collections.abc import Callable

import numpy as np

from anonygan_jax.evaluation.collect.observation import Observation
from anonygan_jax.faces.head_pose import head_angles

# Upper ends, degrees, and what lies below; the last takes the rest.
YAWS = ((15.0, "under 15°"), (30.0, "15 to 30°"), (np.inf, "over 30°"))
# Of the individual typology angle; Chardon et al. 1991 part it at 28 and 55, too.
SKIN_TONES = (
    (10.0, "brown or dark (ITA under 10°)"),
    (41.0, "tan or intermediate (ITA 10 to 41°)"),
    (np.inf, "light (ITA over 41°)"),
)

Guess = Callable[[np.ndarray], str]  # descriptor -> apparent group


def strata(
    originals: dict[str, Observation], guess: Guess | None
) -> dict[str, list[str]]:
    """Returns title -> names of the faces that it is said of; only what has faces.

    Args:
      originals: what was seen in the photos, by name.
      guess: names the group that somebody looks like, if groups are wanted.
    """
    members: dict[str, list[str]] = {}
    for name in sorted(originals):
        for title in _titles(originals[name], guess):
            members.setdefault(title, []).append(name)
    return dict(sorted(members.items()))


def individual_typology_angle(lab: np.ndarray) -> float:
    """Returns the angle that tells light skin from dark, degrees, -180 to 180.

    The photo's light tells on it as well as the skin.

    Args:
      lab: float [3], the skin's colour in CIE Lab.
    """
    return float(np.degrees(np.arctan2(lab[0] - 50, lab[2])))


def _titles(seen: Observation, guess: Guess | None) -> list[str]:
    """The strata of an original."""
    titles = [f"yaw {_part(YAWS, abs(float(head_angles(seen.points_xy)[0])))}"]
    if np.isfinite(seen.skin_lab).all():
        angle = individual_typology_angle(seen.skin_lab)
        titles.append(f"skin {_part(SKIN_TONES, angle)}")
    if guess is not None:
        titles.append(f"apparently {guess(seen.descriptor)}")
    return titles


def _part(parts: tuple[tuple[float, str], ...], value: float) -> str:
    return next(title for end, title in parts if value < end)
