"""What methods take and give: obfuscators take faces, replacers conditions, too."""

import dataclasses
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

MIN_FACE_WIDTH = 16  # pixels between points 0 and 16; below, nothing can be drawn
MIN_SPREAD_RATIO = 0.05  # of the landmarks' singular values; below, they form a line


class MethodError(ValueError):
    """A face that a method cannot hide; the caller should pixelate it."""


@dataclasses.dataclass(frozen=True)
class Faces:
    """A batch of source crops in CelebA's frame.

    Attributes:
      images: uint8 [B, H, W, 3], RGB.
      points_xy: float32 [B, 68, 2], pixels.
      masks: float32 [B, H, W], 1 where the face must be hidden, else 0.
    """

    images: UInt8[np.ndarray, "B H W 3"]
    points_xy: Float[np.ndarray, "B 68 2"]
    masks: Float[np.ndarray, "B H W"]

    def check(self) -> None:
        """Accepts faces that can be hidden.

        Raises:
          MethodError: landmarks are not finite, form a line, are mirrored or span
            fewer than 16 pixels, or the mask is empty (the face is outside the crop).
            The message names the face and the reason.
        """
        for number, (points, mask) in enumerate(
            zip(self.points_xy, self.masks, strict=True)
        ):
            reason = _unusable(points)
            if reason is None and not mask.any():
                reason = "the face is outside the crop"
            if reason:
                raise MethodError(f"face {number}: {reason}")


@dataclasses.dataclass(frozen=True)
class Conditions:
    """A batch of photos of conditions in CelebA's frame, of any size.

    Attributes:
      images: uint8 [B, H, W, 3], RGB.
      points_xy: float32 [B, 68, 2], pixels.
    """

    images: UInt8[np.ndarray, "B H W 3"]
    points_xy: Float[np.ndarray, "B 68 2"]

    def check(self) -> None:
        """Accepts conditions that can be warped.

        Raises:
          MethodError: as `Faces.check`, for the landmarks.
        """
        for number, points in enumerate(self.points_xy):
            if reason := _unusable(points):
                raise MethodError(f"condition {number}: {reason}")


def _unusable(points: np.ndarray) -> str | None:
    """Why no face can be drawn on landmarks [68, 2]; None if one can."""
    if not np.isfinite(points).all():
        return "landmarks are not finite numbers"
    width = float(np.linalg.norm(points[16] - points[0]))
    if width < MIN_FACE_WIDTH:
        return f"face of {width:.0f} pixels, at least {MIN_FACE_WIDTH} are needed"
    spread = np.linalg.svd(points - points.mean(0), compute_uv=False)
    if spread[1] < MIN_SPREAD_RATIO * spread[0]:
        return "landmarks form a line"
    across, down = points[16] - points[0], points[8] - points[27]
    if across[0] * down[1] - across[1] * down[0] <= 0:
        return "landmarks are mirrored"
    return None


class _Described(Protocol):
    """Attributes of every method.

    Attributes:
      name: the method's name in the report.
      region: the part of the face that is hidden; see `faces.masks`.
      crop_size: (height, width) of the crops that the method takes; None for any.
      step: training step of the weights; None for a method without weights.
    """

    name: str
    region: str
    crop_size: tuple[int, int] | None
    step: int | None


@runtime_checkable
class Obfuscator(_Described, Protocol):
    """A method that hides faces without new ones."""

    def __call__(self, faces: Faces) -> UInt8[np.ndarray, "B H W 3"]:
        """Returns the crops with the faces hidden; pixels outside the masks are equal.

        Raises:
          MethodError: a face cannot be hidden by this method.
        """


@runtime_checkable
class Replacer(_Described, Protocol):
    """A method that puts the faces of conditions in place of the sources'."""

    @property
    def num_classes(self) -> int | None:
        """None if conditions are photos (`Conditions`).

        Otherwise conditions are class numbers, int [B], from 0 to num_classes - 1.
        """

    def __call__(self, faces: Faces, conditions: Any) -> UInt8[np.ndarray, "B H W 3"]:
        """Returns the crops with the faces replaced.

        Pixels outside the masks may differ from the source's where the edge is
        blended. Inside the masks no pixel of the source's face is kept.

        Args:
          conditions: one for each source; see `num_classes`.

        Raises:
          MethodError: a face cannot be replaced by this method.
        """


Method = Obfuscator | Replacer
