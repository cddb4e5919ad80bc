"""Face crops aligned as CelebA's, and their way back into the photo.

Affine maps are float64 [2, 3] matrices acting on columns (x, y, 1), pixels counted from
the centre of the top-left pixel. Sizes are (height, width).
"""

import cv2
import numpy as np
from jaxtyping import Float, Shaped, UInt8

from anonygan_jax.faces.face import LEFT_EYE, RIGHT_EYE

CELEBA_SIZE = (218, 178)
# Eye centres and mouth corners in aligned CelebA: means of dlib's landmarks over 1,448
# aligned photos; their standard deviation is under 3.5 pixels.
CELEBA_ANCHORS_XY = np.array(
    [[69.3, 112.5], [107.7, 112.6], [71.1, 152.8], [106.2, 152.9]]
)
# dlib's face chips in the same frame: medians of centre and side over 180 photos of
# LFW, CelebA and YouTube Faces; their standard deviations are 2.2, 1.4 and 3 pixels.
CHIP_CENTRE_XY, CHIP_SIDE = np.array([88.5, 132.2]), 106.7
FACE_CENTRE_XY = np.array([88.5, 137.0])  # of the mask, there too
MIN_ANCHOR_SPREAD = 2.0  # pixels; anchors nearer to each other give no orientation


class DegenerateFaceError(ValueError):
    """Landmarks from which no crop can be computed."""


def face_anchors(points_xy: Float[np.ndarray, "68 2"]) -> Float[np.ndarray, "4 2"]:
    """Returns float64 [4, 2]: centres of both eyes, both corners of the mouth."""
    points = np.asarray(points_xy, np.float64)
    eyes = [points[list(LEFT_EYE)].mean(0), points[list(RIGHT_EYE)].mean(0)]
    return np.stack([*eyes, points[48], points[54]])


def celeba_transform(
    points_xy: Float[np.ndarray, "68 2"], size: tuple[int, int]
) -> Float[np.ndarray, "2 3"]:
    """Returns the map from photo to crop, float64 [2, 3].

    A similarity (least squares on eye centres and mouth corners) into CelebA's 178x218
    frame, then that frame stretched to `size`, as the paper stretches it to 180x220.

    Args:
      points_xy: float [68, 2], pixels of the photo.
      size: (height, width) of the crop.

    Raises:
      DegenerateFaceError: a landmark is not finite or all anchors coincide.
    """
    anchors = face_anchors(points_xy)
    if not np.isfinite(anchors).all():
        raise DegenerateFaceError("landmarks are not finite numbers")
    similarity = _fit_similarity(anchors, CELEBA_ANCHORS_XY)
    return compose(resize_transform(CELEBA_SIZE, size), similarity)


def _fit_similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least-squares rotation, scale and shift: one complex linear regression."""
    z = source @ np.array([1, 1j])
    w = target @ np.array([1, 1j])
    spread = np.abs(z - z.mean()).max()
    if spread < MIN_ANCHOR_SPREAD:
        raise DegenerateFaceError(
            f"eyes and mouth are within {spread:.1f} pixels of each other, "
            f"at least {MIN_ANCHOR_SPREAD} are needed"
        )
    a = np.vdot(z - z.mean(), w - w.mean()) / np.sum(np.abs(z - z.mean()) ** 2)
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def resize_transform(
    old: tuple[int, int], new: tuple[int, int]
) -> Float[np.ndarray, "2 3"]:
    """Returns the map of pixel centres under a resize from size `old` to `new`."""
    sy, sx = new[0] / old[0], new[1] / old[1]
    return np.array([[sx, 0, (sx - 1) / 2], [0, sy, (sy - 1) / 2]])


def window_transform(
    old: tuple[int, int], new: tuple[int, int], zoom: float
) -> Float[np.ndarray, "2 3"]:
    """Returns the map from an aligned crop of size `old` to the network's image.

    Args:
      old: (height, width) of the crop, which has all of CelebA's frame.
      new: (height, width) of the network's image.
      zoom: 1 for all of the frame; above 1 for a window of 1/zoom of its height and
        width around the face, inside the frame.
    """
    frame = np.array(CELEBA_SIZE[::-1])
    half = frame / (2 * zoom)
    # Counted from the frame's edge, half a pixel from the first pixel's centre.
    corner = np.clip(FACE_CENTRE_XY + 0.5, half, frame - half) - half
    zoomed = np.column_stack([np.eye(2) * zoom, zoom * (0.5 - corner) - 0.5])
    return compose(
        resize_transform(CELEBA_SIZE, new),
        compose(zoomed, resize_transform(old, CELEBA_SIZE)),
    )


def chip_transform(
    size: tuple[int, int], zoom: float, side: int
) -> Float[np.ndarray, "2 3"]:
    """Returns the map from a network's image to the face chip of dlib's recogniser.

    Args:
      size, zoom: of the image, see `window_transform`.
      side: of the chip, pixels.
    """
    scale = side / CHIP_SIDE
    shift = (side - 1) / 2 - scale * CHIP_CENTRE_XY
    back = cv2.invertAffineTransform(window_transform(CELEBA_SIZE, size, zoom))
    return compose(np.column_stack([scale * np.eye(2), shift]), back)


def compose(
    second: Float[np.ndarray, "2 3"], first: Float[np.ndarray, "2 3"]
) -> Float[np.ndarray, "2 3"]:
    """Returns the map that applies `first`, then `second`."""
    return second @ np.vstack([first, [0, 0, 1]])


def transform_points(
    matrix: Float[np.ndarray, "2 3"], points_xy: Shaped[np.ndarray, "*P 2"]
) -> Float[np.ndarray, "*P 2"]:
    """Returns float32 [..., 2]: the points under an affine map."""
    return (points_xy @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def crop_photo(
    image: Shaped[np.ndarray, "H W *C"],
    matrix: Float[np.ndarray, "2 3"],
    size: tuple[int, int],
    border: int = cv2.BORDER_REFLECT,
) -> Shaped[np.ndarray, "h w *C"]:
    """Returns the crop [height, width, C] of `image` under the photo-to-crop map.

    Bilinear, after an area reduction where the photo's resolution is more than twice
    the crop's, so that nothing aliases.

    Args:
      image: uint8 or float32 [H, W, C].
      matrix: float [2, 3], from the photo to the crop.
      size: (height, width) of the crop.
      border: OpenCV's constant for pixels outside the photo; by default its mirror
        image.
    """
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale < 0.5:
        left, top, right, bottom = _source_window(matrix, size, image.shape)
        image = image[top:bottom, left:right]  # reducing all of it is slow
        matrix = compose(matrix, np.array([[1.0, 0, left], [0, 1.0, top]]))
        height, width = image.shape[:2]
        reduced = (max(1, round(height * 2 * scale)), max(1, round(width * 2 * scale)))
        image = cv2.resize(image, reduced[::-1], interpolation=cv2.INTER_AREA)
        matrix = compose(matrix, resize_transform(reduced, (height, width)))
    return cv2.warpAffine(
        image, matrix, size[::-1], flags=cv2.INTER_LINEAR, borderMode=border
    )


def _source_window(
    matrix: np.ndarray, size: tuple[int, int], shape: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """The part of a photo that is in a crop, mirrored or not, with a margin."""
    low, high = _bounds(matrix, size)
    margin = 2 + 0.05 * (high - low)
    limit = np.array(shape[1::-1])
    low, high = low - margin, high + margin
    # A mirrored pixel is as far inside the edge as its image is outside.
    low, high = np.minimum(low, 2 * limit - high), np.maximum(high, -low)
    left, top = (int(v) for v in np.clip(np.floor(low), 0, limit - 1))
    right, bottom = (int(v) for v in np.clip(np.ceil(high), 1, limit))
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _bounds(matrix: np.ndarray, size: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Least and largest x and y in the photo of a crop's corners."""
    height, width = size[:2]
    corners = np.array([(x, y) for x in (-1, width) for y in (-1, height)])
    there = (corners - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    return there.min(0), there.max(0)


def window_in_photo(
    matrix: Float[np.ndarray, "2 3"], size: tuple[int, ...], shape: tuple[int, ...]
) -> tuple[slice, slice]:
    """Returns rows and columns of a photo that are in a crop; empty if none are.

    Args:
      matrix: float [2, 3], the photo-to-crop map.
      size: (height, width) of the crop; of the photo, `shape`.
    """
    low, high = _bounds(matrix, size)
    limit = np.array(shape[1::-1])
    left, top = (int(v) for v in np.clip(np.floor(low), 0, limit))
    right, bottom = (int(v) for v in np.clip(np.ceil(high) + 1, 0, limit))
    return slice(top, max(top, bottom)), slice(left, max(left, right))


def paste_crop(
    photo: UInt8[np.ndarray, "H W 3"],
    crop: UInt8[np.ndarray, "h w 3"],
    alpha: Float[np.ndarray, "h w"],
    matrix: Float[np.ndarray, "2 3"],
) -> None:
    """Blends a crop into a photo by `alpha`, in place.

    Args:
      alpha: float32 [h, w], 0 (photo) to 1 (crop), in the crop's frame.
      matrix: float [2, 3], the photo-to-crop map of the crop.
    """
    window = window_in_photo(matrix, crop.shape, photo.shape)
    region = photo[window]
    if not region.size:
        return
    left, top = window[1].start, window[0].start
    matrix = compose(matrix, np.array([[1.0, 0, left], [0, 1.0, top]]))
    size = region.shape[1::-1]
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    face = cv2.warpAffine(
        crop, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    weight = cv2.warpAffine(alpha.astype(np.float32), matrix, size, flags=flags)
    blended = region + weight[..., None] * (face.astype(np.float32) - region)
    region[:] = np.clip(np.rint(blended), 0, 255).astype(np.uint8)


def reframe(
    image: Shaped[np.ndarray, "H W C"],
    points_xy: Float[np.ndarray, "K 2"],
    size: tuple[int, int],
    zoom: float,
) -> tuple[Shaped[np.ndarray, "h w C"], Float[np.ndarray, "K 2"]]:
    """Returns the network's image of an aligned crop, and its points.

    Args:
      image: [H, W, C], the crop.
      points_xy: float [K, 2], pixels of the crop.
      size, zoom: see `window_transform`.
    """
    matrix = window_transform(image.shape[:2], size, zoom)
    return reframe_image(image, size, zoom), transform_points(matrix, points_xy)


def reframe_image(
    image: Shaped[np.ndarray, "H W *C"], size: tuple[int, int], zoom: float
) -> Shaped[np.ndarray, "h w *C"]:
    """Returns the network's image of an aligned crop; see `reframe`."""
    if zoom == 1:
        return cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
    matrix = window_transform(image.shape[:2], size, zoom)
    return crop_photo(image, matrix, size)
