"""Whether a result looks like its source to any of several face recognisers."""

import contextlib
from collections.abc import Mapping

import numpy as np

from anonygan_jax.detection.detector import Landmarker
from anonygan_jax.faces.alignment import DegenerateFaceError
from anonygan_jax.faces.face import Face
from anonygan_jax.recognition.descriptor import Descriptor
from anonygan_jax.recognition.thresholds import ENOUGH_DISTANCES, LEAST_DISTANCES

SAME_SHAPE = 0.03  # of the face's width; landmarks nearer give the same descriptor

Distances = dict[str, float]  # by the recogniser's name


class IdentityCheck:
    """Several recognisers, each of which can reject a result.

    A recogniser is asked how far a result is from its source. It accepts from a fixed
    distance on, or from where it sees the source under a black patch: hair, outline and
    background tell a little, which is no fault of the new face. But below another fixed
    distance it never accepts. Of several results that
    all accept, the farther from the source is better.
    """

    def __init__(
        self, recognisers: Mapping[str, Descriptor], landmarker: Landmarker
    ) -> None:
        """Takes recognisers by name, and what finds the landmarks of results."""
        self._recognisers, self._landmarker = dict(recognisers), landmarker

    def describe(
        self, photo: np.ndarray, points_xy: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Returns a face's descriptor by each recogniser, float32 [D].

        Raises:
          DegenerateFaceError: the landmarks give no crop.
        """
        return {
            name: describe(photo, points_xy)
            for name, describe in self._recognisers.items()
        }

    def distances(
        self, result: np.ndarray, face: Face, descriptors: Mapping[str, np.ndarray]
    ) -> Distances:
        """Returns the distances between a source and the face in a result.

        Landmarks are searched anew in the result. If they differ from the source's, the
        smaller distance counts.

        Args:
          result: uint8 [H, W, 3].
          face: of the source.
          descriptors: of the source, by each recogniser.

        Raises:
          DegenerateFaceError: the landmarks give no crop.
        """
        found = self._landmarker.points(result, face.box_xyxy, face.roll)
        seen = [self.describe(result, face.points_xy)]
        if found is not None and _differ(found, face.points_xy):
            with contextlib.suppress(DegenerateFaceError):  # no face is there
                seen.append(self.describe(result, found))
        return least([_apart(one, descriptors) for one in seen])

    def floors(
        self, patched: np.ndarray, face: Face, descriptors: Mapping[str, np.ndarray]
    ) -> Distances:
        """Returns the distances between a source and itself under a black patch.

        Args:
          patched: the source's image with the patch, uint8 [H, W, 3].
        """
        return _apart(self.describe(patched, face.points_xy), descriptors)


def passes(distances: Distances, floors: Distances) -> bool:
    """Returns whether no recogniser takes a result for its source."""
    return all(
        distance >= np.clip(floors[name], LEAST_DISTANCES[name], ENOUGH_DISTANCES[name])
        for name, distance in distances.items()
    )


def beyond_floor(distances: Distances, floors: Distances) -> float:
    """Returns how far a result is beyond a black patch, for whom it is least far.

    In units of the recogniser's threshold; below 0 the new face tells more than the
    patch.
    """
    return min(
        (distance - floors[name]) / ENOUGH_DISTANCES[name]
        for name, distance in distances.items()
    )


def least(of_views: list[Distances]) -> Distances:
    """Returns the least distance of several views, by recogniser."""
    return {name: min(view[name] for view in of_views) for name in of_views[0]}


def _apart(seen: Mapping[str, np.ndarray], own: Mapping[str, np.ndarray]) -> Distances:
    """Distances between descriptors of two images, by recogniser."""
    return {name: float(np.linalg.norm(seen[name] - own[name])) for name in seen}


def _differ(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two shapes are so far apart that descriptors may differ."""
    apart = np.linalg.norm(a - b, axis=-1).mean()
    return bool(apart > SAME_SHAPE * np.ptp(b[:, 0]))
