"""Subgroups of faces by yaw, skin tone and apparent group."""

from collections.abc import Callable

import numpy as np

from anonygan_jax.evaluation.collect.observation import Observation
from anonygan_jax.faces.head_pose import head_angles

# Upper ends in degrees and titles; the last has no upper end.
YAWS = ((15.0, "under 15°"), (30.0, "15 to 30°"), (np.inf, "over 30°"))
# Of the individual typology angle; Chardon et al. 1991 divide it at 28 and 55, too.
SKIN_TONES = (
    (10.0, "brown or dark (ITA under 10°)"),
    (41.0, "tan or intermediate (ITA 10 to 41°)"),
    (np.inf, "light (ITA over 41°)"),
)

ApparentGroup = Callable[[np.ndarray], str]  # descriptor -> name of a group


def names_by_subgroup(
    originals: dict[str, Observation], apparent_group: ApparentGroup | None
) -> dict[str, list[str]]:
    """Returns the names of the faces in each subgroup, by the subgroup's title.

    Returns:
      Sorted titles and names; subgroups without a face are left out.
    """
    members: dict[str, list[str]] = {}
    for name in sorted(originals):
        for title in _titles(originals[name], apparent_group):
            members.setdefault(title, []).append(name)
    return dict(sorted(members.items()))


def individual_typology_angle(lab: np.ndarray) -> float:
    """Returns the angle (ITA) that classifies skin tones, degrees, -180 to 180.

    It depends on the light of the photo as well as on the skin.
    """
    return float(np.degrees(np.arctan2(lab[0] - 50, lab[2])))


def _titles(face: Observation, apparent_group: ApparentGroup | None) -> list[str]:
    """The subgroups of an original."""
    titles = [f"yaw {_part(YAWS, abs(float(head_angles(face.points_xy)[0])))}"]
    if np.isfinite(face.skin_lab).all():
        angle = individual_typology_angle(face.skin_lab)
        titles.append(f"skin {_part(SKIN_TONES, angle)}")
    if apparent_group is not None:
        titles.append(f"apparently {apparent_group(face.descriptor)}")
    return titles


def _part(parts: tuple[tuple[float, str], ...], value: float) -> str:
    """The title of the part that a value belongs to."""
    return next(title for end, title in parts if value < end)
