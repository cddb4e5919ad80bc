"""Parts of an image in which faces are kept or hidden."""

import dataclasses
import math

import numpy as np

from anonygan_jax.anonymise.errors import PolicyError, RegionError
from anonygan_jax.anonymise.fallback import pixelate_region
from anonygan_jax.faces.face import Face

IGNORE, HIDE, ONLY = "ignore", "hide", "only"
MIN_SIDE = 2  # pixels; less is a share of the picture, perhaps


@dataclasses.dataclass(frozen=True)
class Region:
    """A part of an image.

    Attributes:
      kind: IGNORE, faces in it are kept; ONLY, faces outside it are kept; HIDE, all of
        it is pixelated.
      box_xyxy: left, top, right, bottom in pixels.
    """

    kind: str
    box_xyxy: tuple[float, float, float, float]

    @classmethod
    def parse(cls, text: str) -> "Region":
        """Returns the region of "KIND:X,Y,WIDTH,HEIGHT"; KIND is "only" by default.

        Raises:
          PolicyError: the text has another form.
        """
        kind, _, numbers = text.rpartition(":")
        try:
            x, y, width, height = (float(part) for part in numbers.split(","))
        except ValueError:
            kind, x, y, width, height = "?", 0, 0, 0, 0
        is_finite = bool(np.isfinite([x, y, width, height]).all())
        is_box = is_finite and min(width, height) >= MIN_SIDE
        if (kind or ONLY) not in (IGNORE, HIDE, ONLY) or not is_box:
            raise PolicyError(
                f"region {text!r}: wanted X,Y,WIDTH,HEIGHT in pixels, at least "
                f"{MIN_SIDE} wide and high, with ignore:, hide: or only: before it if "
                "you like"
            )
        return cls(kind or ONLY, (x, y, x + width, y + height))

    def __str__(self) -> str:
        """Returns the text that `parse` takes."""
        left, top, right, bottom = self.box_xyxy
        sides = (left, top, right - left, bottom - top)
        return f"{self.kind}:{','.join(f'{value:.12g}' for value in sides)}"

    def contains(self, face: Face) -> bool:
        """Returns whether the centre of a face's box is in it."""
        x, y = (face.box_xyxy[:2] + face.box_xyxy[2:]) / 2
        left, top, right, bottom = self.box_xyxy
        return bool(left <= x <= right and top <= y <= bottom)

    def pixelate(self, photo: np.ndarray) -> None:
        """Pixelates each pixel of uint8 [H, W, 3] that it touches, in place."""
        left, top = (max(0, math.floor(v)) for v in self.box_xyxy[:2])
        right, bottom = (max(0, math.ceil(v)) for v in self.box_xyxy[2:])
        side = float(max(right - left, bottom - top))
        pixelate_region(photo[top:bottom, left:right], side)

    def check_inside(self, shape: tuple[int, ...]) -> None:
        """Accepts a region that is at least partly in an image, or may be elsewhere.

        Faces are hidden whether or not there is a region to ignore.

        Args:
          shape: of the image, height and width first.

        Raises:
          RegionError: all of it is outside, and it is HIDE or ONLY.
        """
        height, width = shape[:2]
        left, top, right, bottom = self.box_xyxy
        is_inside = left < width and top < height and right > 0 and bottom > 0
        if not is_inside and self.kind != IGNORE:
            raise RegionError(
                f"region {self}: is outside the picture of {width}x{height} pixels"
            )
