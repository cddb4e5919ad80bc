"""A face warped onto other landmarks: warp, mouth, colour, blending.

Warp over a Delaunay mesh, skin colour matched in Lab, gradients blended.
"""

import math

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from anonygan_jax.faces import blending, delaunay
from anonygan_jax.faces.expression import OPEN, SHUT, mouth_openness
from anonygan_jax.faces.face import JAW
from anonygan_jax.faces.skin import median_and_mad, skin_mask

OUTLINE_SCALES = (1.15, 3.0)  # of the rings around a face, copies of its outline
MAP_CELLS = 64  # cells a side at which the dense map is computed before it is enlarged
MAX_SHIFT = np.array([153.0, 18.0, 18.0])  # of L (0..255, as OpenCV's uint8), a, b
CONTRAST = (0.7, 1.4)  # limits on the ratio of the lightness' spread
PATCH_MARGIN = 4  # pixels around mask and soft edge that are computed, too
NUM_SAMPLES = 64  # pixels of the longer side at which colours are sampled
JAW_INSET = 0.02  # of the way from the chin to the nose: background is left out
MOUTH_INTERIOR = 0.3  # lightness of an opened mouth over the skin's


def warp_onto(
    condition: UInt8[np.ndarray, "h w 3"],
    condition_points: Float[np.ndarray, "68 2"],
    image: UInt8[np.ndarray, "H W 3"],
    points: Float[np.ndarray, "68 2"],
    mask: Float[np.ndarray, "H W"],
) -> UInt8[np.ndarray, "H W 3"]:
    """Returns the image with the condition's face on `points`, uint8 [H, W, 3].

    Inside the mask only the colour of the image's skin is kept. Outside, the image
    changes only where the new face fades, see `blending.feather_alpha`.

    Args:
      condition_points: float [68, 2], in the condition.
      points: float [68, 2], the positions of the condition's points in the result.
      mask: float32 [H, W], 1 where the face is replaced; not empty.

    Source: ours.
    """
    box = _box(mask, PATCH_MARGIN + math.ceil(blending.edge_width(points)))
    points = points - (box[1].start, box[0].start)
    part, inside = image[box], mask[box]
    inset = _inset(condition_points)
    warped = warp_face(condition, inset, points, inside.shape)
    warped = open_mouth(warped, points, condition_points)
    warped = match_colour(warped, part, points, inside)
    result = image.copy()
    result[box] = blending.blend(warped, part, inside, points)
    return result


def _inset(points: np.ndarray) -> np.ndarray:
    """Landmarks with the jaw moved inwards, so that its pixels are skin."""
    moved = np.array(points, np.float64)
    jaw, middle = moved[list(JAW)], moved[27:36].mean(0)
    share = JAW_INSET * np.sin(np.linspace(0, np.pi, len(jaw)))[:, None]
    moved[list(JAW)] = jaw + share * (middle - jaw)
    return moved


def _box(mask: np.ndarray, margin: int) -> tuple[slice, slice]:
    """Rows and columns of the mask with a margin, which are computed."""
    spans = []
    for axis in (1, 0):
        used = np.nonzero(mask.any(axis))[0]
        spans.append(slice(max(int(used[0]) - margin, 0), int(used[-1]) + 1 + margin))
    return spans[0], spans[1]


def warp_face(
    condition: UInt8[np.ndarray, "h w 3"],
    condition_points: Float[np.ndarray, "68 2"],
    points: Float[np.ndarray, "68 2"],
    size: tuple[int, ...],
) -> UInt8[np.ndarray, "H W 3"]:
    """Returns the condition warped onto `points`, uint8 [H, W, 3].

    Args:
      condition_points: float [68, 2], in the condition.
      points: float [68, 2], in the result.
      size: (height, width) of the result.
    """
    target = _control_points(points)
    source = _control_points(condition_points)
    x = np.linspace(0, size[1] - 1, min(MAP_CELLS, size[1]))
    y = np.linspace(0, size[0] - 1, min(MAP_CELLS, size[0]))
    coarse = delaunay.piecewise_affine(delaunay.triangulated(target), source, x, y)
    scale = np.array(
        [[(len(x) - 1) / (size[1] - 1), 0, 0], [0, (len(y) - 1) / (size[0] - 1), 0]]
    )
    maps = cv2.warpAffine(
        coarse.astype(np.float32),
        scale,
        (size[1], size[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cv2.remap(
        condition,
        maps[..., 0],
        maps[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _control_points(points: np.ndarray) -> np.ndarray:
    """Landmarks, forehead and rings around them, float64 [M, 2].

    The outer ring is outside the mask, so that the mesh has all of it.
    """
    points = np.asarray(points, np.float64)
    forehead = delaunay.forehead_points(points)
    outline = np.concatenate([points[list(JAW)], forehead])
    middle = points[27:36].mean(0)
    rings = [middle + ring * (outline - middle) for ring in OUTLINE_SCALES]
    return np.concatenate([points, forehead, *rings])


def open_mouth(
    warped: UInt8[np.ndarray, "H W 3"],
    points: Float[np.ndarray, "68 2"],
    condition_points: Float[np.ndarray, "68 2"],
) -> UInt8[np.ndarray, "H W 3"]:
    """Returns the warped face with a dark mouth where the warp opened shut lips.

    Args:
      points: float [68, 2], its landmarks.
      condition_points: float [68, 2], landmarks before the warp.
    """
    if mouth_openness(points) < OPEN or mouth_openness(condition_points) > SHUT:
        return warped
    lips = np.rint(points[60:68]).astype(np.int32)
    filled = cv2.fillPoly(np.zeros(warped.shape[:2], np.float32), [lips], 1.0)
    width = float(np.linalg.norm(points[54] - points[48]))
    inside = cv2.GaussianBlur(filled, (0, 0), max(0.03 * width, 0.5))[..., None]
    darker = warped * (1 - inside * (1 - MOUTH_INTERIOR))
    return np.rint(darker).astype(np.uint8)


def match_colour(
    warped: UInt8[np.ndarray, "H W 3"],
    image: UInt8[np.ndarray, "H W 3"],
    points: Float[np.ndarray, "68 2"],
    mask: Float[np.ndarray, "H W"],
) -> UInt8[np.ndarray, "H W 3"]:
    """Returns the warped face with the source's skin colour, uint8 [H, W, 3].

    Medians and spreads are those of skin alone (the mask without eyes, brows and lips).
    Their difference is limited, so that lips keep a lip's colour.

    Args:
      image: uint8 [H, W, 3], the source.
      points: float [68, 2], landmarks of both.
      mask: float32 [H, W], above 0 where the face is.
    """
    step = max(1, max(mask.shape) // NUM_SAMPLES)
    few = (skin_mask(points, mask.shape) & (mask > 0))[::step, ::step]
    if not few.any():
        return warped
    ours = cv2.cvtColor(warped, cv2.COLOR_RGB2LAB)
    theirs = cv2.cvtColor(image[::step, ::step], cv2.COLOR_RGB2LAB)
    from_median, from_spread = median_and_mad(ours[::step, ::step][few])
    to_median, to_spread = median_and_mad(theirs[few])
    gain = np.ones(3)
    gain[0] = np.clip(to_spread[0] / from_spread[0], *CONTRAST)
    shift = np.clip(to_median - from_median, -MAX_SHIFT, MAX_SHIFT)
    levels = np.arange(256)[:, None]
    table = (levels - from_median) * gain + from_median + shift
    matched = cv2.LUT(ours, np.rint(table.clip(0, 255)).astype(np.uint8)[None])
    return cv2.cvtColor(matched, cv2.COLOR_LAB2RGB)
