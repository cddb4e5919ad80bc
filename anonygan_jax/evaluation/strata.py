"""Figures by pose, skin tone and apparent group: is everybody served alike?"""

import dataclasses
from collections.abc import Callable

import numpy as np

from anonygan_jax.data.descriptors import SAME_PERSON
from anonygan_jax.data.head_pose import head_angles
from anonygan_jax.evaluation import estimates
from anonygan_jax.evaluation.estimates import Estimate
from anonygan_jax.evaluation.observation import Observation
from anonygan_jax.evaluation.pictures import EMOTION
from anonygan_jax.evaluation.survey import Survey

# Upper ends, degrees, and what lies below; the last takes the rest.
YAWS = ((15.0, "under 15°"), (30.0, "15 to 30°"), (np.inf, "over 30°"))
# Of the individual typology angle; Chardon et al. 1991 part it at 28 and 55, too.
SKIN_TONES = (
    (10.0, "brown or dark (ITA under 10°)"),
    (41.0, "tan or intermediate (ITA 10 to 41°)"),
    (np.inf, "light (ITA over 41°)"),
)
KEYS = ("detected_dlib", "own_dlib", "pose_l2", "mouth", "emotion")

Guess = Callable[[np.ndarray], str]  # descriptor -> apparent group


@dataclasses.dataclass(frozen=True)
class Stratum:
    """Faces with something in common.

    Attributes:
      title: what.
      measures: by key, one of KEYS.
    """

    title: str
    measures: dict[str, Estimate]


def strata(originals: Survey, results: Survey, guess: Guess | None) -> list[Stratum]:
    """Returns a method's figures for each stratum that has faces.

    Args:
      originals, results: what was seen in the photos before and after.
      guess: names the group that somebody looks like, if groups are wanted.
    """
    members: dict[str, list[str]] = {}
    for name in sorted(results.comparisons):
        for title in _titles(originals.seen[name], guess):
            members.setdefault(title, []).append(name)
    return [
        Stratum(title, _measures(originals, results, names))
        for title, names in sorted(members.items())
    ]


def individual_typology_angle(lab: np.ndarray) -> float:
    """Returns the angle that tells light skin from dark, degrees, -180 to 180.

    The photo's light tells on it as well as the skin.

    Args:
      lab: float [3], the skin's colour in CIE Lab.
    """
    return float(np.degrees(np.arctan2(lab[0] - 50, lab[2])))


def emotion_kept(originals: Survey, results: Survey, names: list[str]) -> np.ndarray:
    """Returns bool [N]: does the classifier see the emotion that it saw before?"""
    before, after = originals.classes[EMOTION], results.classes[EMOTION]
    return np.array([before[n] == after[n] for n in names if n in after], bool)


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


def _measures(
    originals: Survey, results: Survey, names: list[str]
) -> dict[str, Estimate]:
    """The figures of some faces."""
    compared = [results.comparisons[name] for name in names]
    known = np.array([c.descriptor_distance < SAME_PERSON for c in compared])
    made = {
        "detected_dlib": estimates.share(np.array([c.detected for c in compared])),
        "own_dlib": estimates.share(known),
        "pose_l2": estimates.mean(np.array([c.pose_l2 for c in compared])),
        "mouth": estimates.mean(np.array([c.mouth for c in compared])),
    }
    if EMOTION in results.classes:
        kept = emotion_kept(originals, results, names)
        made["emotion"] = estimates.share(kept)
    return made
