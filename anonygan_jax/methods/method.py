"""What every method of hiding a face takes, gives and refuses."""

import dataclasses
from typing import Protocol

import numpy as np

MIN_FACE_WIDTH = 16  # pixels between points 0 and 16; below nothing can be drawn


class MethodError(ValueError):
    """A face that a method cannot hide as asked; the caller should pixelate it."""


@dataclasses.dataclass(frozen=True)
class Faces:
    """A batch of face crops framed alike.

    Attributes:
      images: uint8 [B, H, W, 3].
      points_xy: float32 [B, 68, 2], pixels.
      masks: float32 [B, H, W], 1 where the face is to be hidden.
    """

    images: np.ndarray
    points_xy: np.ndarray
    masks: np.ndarray

    def check(self) -> None:
        """Accepts faces that can be hidden.

        Raises:
          MethodError: landmarks are not finite, lie on a line, are mirrored, span
            under 16 pixels, or the mask is empty (it lies outside the crop); the
            message says which face and what.
        """
        for number, (points, mask) in enumerate(
            zip(self.points_xy, self.masks, strict=True)
        ):
            reason = _unusable(points, mask)
            if reason:
                raise MethodError(f"face {number}: {reason}")


def _unusable(points: np.ndarray, mask: np.ndarray) -> str | None:
    """Why a face cannot be hidden by drawing, or None."""
    if not np.isfinite(points).all():
        return "landmarks are not finite numbers"
    width = float(np.linalg.norm(points[16] - points[0]))
    if width < MIN_FACE_WIDTH:
        return f"face of {width:.0f} pixels, at least {MIN_FACE_WIDTH} are needed"
    spread = np.linalg.svd(points - points.mean(0), compute_uv=False)
    if spread[1] < 0.05 * spread[0]:
        return "landmarks lie on a line"
    across, down = points[16] - points[0], points[8] - points[27]
    if across[0] * down[1] - across[1] * down[0] <= 0:
        return "landmarks are mirrored"
    if not mask.any():
        return "the face lies outside the crop"
    return None


# Whose faces are put there: their pictures, their numbers [B], or nobody's.
NewFaces = Faces | np.ndarray | None


class Method(Protocol):
    """One way to hide faces.

    Attributes:
      name: as in METHODS.
      uses_conditions: whether conditions are needed.
      region: of the face that it hides, see `data.masks`.
      crop_size: (height, width) of the crops it takes, or None for any.
    """

    name: str
    uses_conditions: bool
    region: str
    crop_size: tuple[int, int] | None

    def __call__(self, faces: Faces, conditions: NewFaces) -> np.ndarray:
        """Returns the crops with the faces hidden, uint8 [B, H, W, 3].

        Pixels outside the masks may differ from the source's by what blends the edge;
        nothing of the source's face inside the masks is kept.

        Args:
          faces: the sources.
          conditions: whose faces are put there, one each, of any crop size; numbers
            for a method that draws people by number.

        Raises:
          MethodError: a face cannot be hidden by this method.
        """
