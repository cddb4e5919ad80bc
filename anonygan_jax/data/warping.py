"""A face carried onto other landmarks: warp, mouth, colour, Poisson blending.

Warp over a Delaunay mesh, skin colour matched in Lab, gradients blended.
"""

import math

import cv2
import numpy as np
from scipy.spatial import Delaunay

from anonygan_jax.data import mesh
from anonygan_jax.data.expression import OPEN, SHUT, mouth_openness
from anonygan_jax.data.landmarks import JAW
from anonygan_jax.data.skin import skin_mask

RINGS = (1.15, 3.0)  # the outline again, so much further from the face's middle
MAP_CELLS = 64  # the dense map is computed on so many cells a side, then enlarged
MAX_SHIFT = np.array([153.0, 18.0, 18.0])  # of L (0..255, as OpenCV's uint8), a, b
CONTRAST = (0.7, 1.4)  # limits on the ratio of the lightness' spread
EDGE = 0.012  # of the face's width: outside the mask the new face fades so far
MARGIN = 4  # pixels around that which are computed, too
SAMPLES = 64  # pixels of the longer side from which colours are taken
SOLVED_SIZE = 96  # pixels of the longer side at which crops are blended
JAW_INSET = 0.02  # of the way from the chin to the nose: there no background shows
SKIN_SPREAD = 2.0  # deviations from the skin's colour that still count as skin,
LEAST_SPREAD = np.array([50.0, 8.0, 8.0])  # at least these, of L (0..255), a, b
JAW_ENDS = (0.3, 0.6)  # of the way from chin to eyes: between jaw and cheeks
UNLIKE = 0.1  # likeness to skin under which a colour is none
RING = 2  # pixels around the mask, at SOLVED_SIZE, whose colours the face meets,
RING_BLUR = 1.9  # averaged so far along the border
ERODED = 3  # pixels by which seamlessClone shrinks its mask
MOUTH_INTERIOR = 0.3  # lightness of an opened mouth over the skin's


def warp_onto(
    condition: np.ndarray,
    condition_points: np.ndarray,
    image: np.ndarray,
    points: np.ndarray,
    mask: np.ndarray,
) -> np.ndarray:
    """Returns the picture with the condition's face on `points`, uint8 [H, W, 3].

    Nothing of the picture inside the mask is kept but the colour of its skin; outside
    nothing changes but where the new face fades, see `edge_weight`.

    Args:
      condition: uint8 [h, w, 3].
      condition_points: float [68, 2], in the condition.
      image: uint8 [H, W, 3].
      points: float [68, 2], where the condition's points go.
      mask: float32 [H, W], 1 where the face is replaced; not empty.
    """
    box = _box(mask, MARGIN + math.ceil(EDGE * _width(points)))
    points = points - (box[1].start, box[0].start)
    part, inside = image[box], mask[box]
    inset = _inset(condition_points)
    warped = warp_face(condition, inset, points, inside.shape)
    warped = open_mouth(warped, points, condition_points)
    warped = match_colour(warped, part, points, inside)
    result = image.copy()
    result[box] = blend(warped, part, inside, points)
    return result


def _inset(points: np.ndarray) -> np.ndarray:
    """Landmarks with the chin drawn in, so that what lies on the jaw is skin."""
    moved = np.array(points, np.float64)
    jaw, middle = moved[list(JAW)], moved[27:36].mean(0)
    share = JAW_INSET * np.sin(np.linspace(0, np.pi, len(jaw)))[:, None]
    moved[list(JAW)] = jaw + share * (middle - jaw)
    return moved


def edge_weight(mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Returns float32 [H, W]: 1 all over the mask, falling to 0 outside it.

    The fall lies outside, so that nothing of the hidden face shines through.

    Args:
      mask: float32 [H, W].
      points: float [68, 2], whose width sets how far it falls.
    """
    outside = (mask == 0).astype(np.uint8)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, 5)
    return np.clip(1 - distance / (1 + EDGE * _width(points)), 0, 1)


def _width(points: np.ndarray) -> float:
    """Pixels from jaw to jaw."""
    return float(np.linalg.norm(points[16] - points[0]))


def _box(mask: np.ndarray, margin: int) -> tuple[slice, slice]:
    """Rows and columns of the mask with a margin; all that has to be computed."""
    spans = []
    for axis in (1, 0):
        used = np.nonzero(mask.any(axis))[0]
        spans.append(slice(max(int(used[0]) - margin, 0), int(used[-1]) + 1 + margin))
    return spans[0], spans[1]


def warp_face(
    condition: np.ndarray,
    condition_points: np.ndarray,
    points: np.ndarray,
    size: tuple[int, ...],
) -> np.ndarray:
    """Returns the condition moved onto `points`, uint8 [H, W, 3].

    Args:
      condition: uint8 [h, w, 3].
      condition_points: float [68, 2], in the condition.
      points: float [68, 2], in the result.
      size: (height, width) of the result.
    """
    target = _control_points(points)
    source = _control_points(condition_points)
    x = np.linspace(0, size[1] - 1, min(MAP_CELLS, size[1]))
    y = np.linspace(0, size[0] - 1, min(MAP_CELLS, size[0]))
    coarse = mesh.piecewise_affine(Delaunay(target), source, x, y)
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

    The outer ring lies outside the mask, so that the mesh covers all of it.
    """
    points = np.asarray(points, np.float64)
    forehead = mesh.forehead_points(points)
    outline = np.concatenate([points[list(JAW)], forehead])
    middle = points[27:36].mean(0)
    rings = [middle + ring * (outline - middle) for ring in RINGS]
    return np.concatenate([points, forehead, *rings])


def open_mouth(
    warped: np.ndarray, points: np.ndarray, condition_points: np.ndarray
) -> np.ndarray:
    """Returns the warped face with a dark mouth where shut lips were pulled open."""
    if mouth_openness(points) < OPEN or mouth_openness(condition_points) > SHUT:
        return warped
    lips = np.rint(points[60:68]).astype(np.int32)
    filled = cv2.fillPoly(np.zeros(warped.shape[:2], np.float32), [lips], 1.0)
    width = float(np.linalg.norm(points[54] - points[48]))
    inside = cv2.GaussianBlur(filled, (0, 0), max(0.03 * width, 0.5))[..., None]
    darker = warped * (1 - inside * (1 - MOUTH_INTERIOR))
    return np.rint(darker).astype(np.uint8)


def match_colour(
    warped: np.ndarray, image: np.ndarray, points: np.ndarray, mask: np.ndarray
) -> np.ndarray:
    """Returns the warped face with the source's skin colour, uint8 [H, W, 3].

    Medians and spreads are compared over skin alone (the mask without eyes, brows and
    lips); what they differ by is limited, so that lips keep a lip's colour.
    """
    step = max(1, max(mask.shape) // SAMPLES)
    few = (skin_mask(points, mask.shape) & (mask > 0))[::step, ::step]
    if not few.any():
        return warped
    ours = cv2.cvtColor(warped, cv2.COLOR_RGB2LAB)
    theirs = cv2.cvtColor(image[::step, ::step], cv2.COLOR_RGB2LAB)
    from_median, from_spread = _robust(ours[::step, ::step][few])
    to_median, to_spread = _robust(theirs[few])
    gain = np.ones(3)
    gain[0] = np.clip(to_spread[0] / from_spread[0], *CONTRAST)
    shift = np.clip(to_median - from_median, -MAX_SHIFT, MAX_SHIFT)
    levels = np.arange(256)[:, None]
    table = (levels - from_median) * gain + from_median + shift
    matched = cv2.LUT(ours, np.rint(table.clip(0, 255)).astype(np.uint8)[None])
    return cv2.cvtColor(matched, cv2.COLOR_LAB2RGB)


def _robust(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median and median absolute deviation of each channel; the latter above 0."""
    median = np.median(values, axis=0)
    spread = np.median(np.abs(values - median), axis=0)
    return median, np.maximum(spread, 1e-3)


def blend(
    warped: np.ndarray, image: np.ndarray, mask: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """Returns the image whose gradients inside the mask are the warped face's.

    None of the image's own pixels inside are kept; outside the face fades.
    At its border the face takes the colours of the forehead's and cheeks' skin, and of
    nothing else: no background, collar or shadow below the chin shines into it. What is
    added to the warped face is smooth, so it is solved for at SOLVED_SIZE and enlarged.

    Args:
      warped: uint8 [H, W, 3].
      image: uint8 [H, W, 3].
      mask: float32 [H, W], 1 where the warped face goes.
      points: float [68, 2], its landmarks.
    """
    height, width = mask.shape
    shrink = max(1.0, max(height, width) / SOLVED_SIZE)
    small = (round(width / shrink), round(height / shrink))
    covered, source, target, joined = (
        cv2.resize(a, small, interpolation=cv2.INTER_AREA)
        for a in ((mask > 0).astype(np.float32), warped, image, _joined(points, mask))
    )
    inside = covered > 0
    cloned = _clone(source, _surroundings(source, target, inside, joined), inside)
    membrane = cv2.resize(
        cloned.astype(np.float32) - source,
        (width, height),
        interpolation=cv2.INTER_LINEAR,
    )
    blended = cv2.add(warped, membrane, dtype=cv2.CV_8U)
    weight = edge_weight(mask, points)[..., None]
    return np.rint(image + weight * (blended.astype(np.float32) - image)).astype(
        np.uint8
    )


def _joined(points: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Where a face goes on beyond its border, 0 below the mouth to 1 above, [H, W].

    Below, the jaw ends it before a neck that is darker, or nearer to the light.
    """
    chin, eyes = points[8], points[36:48].mean(0)
    up = (eyes - chin) / np.square(eyes - chin).sum()
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    height = (x - chin[0]) * up[0] + (y - chin[1]) * up[1]  # 0 at the chin, 1 at eyes
    return np.clip((height - JAW_ENDS[0]) / np.ptp(JAW_ENDS), 0, 1).astype(np.float32)


def _surroundings(
    warped: np.ndarray, image: np.ndarray, inside: np.ndarray, joined: np.ndarray
) -> np.ndarray:
    """What the warped face has to meet at the border, uint8 [H, W, 3].

    The warped picture, shifted by what the image's skin around the mask differs from it
    nearby; where there is little skin nearby, by what all of it differs, and by nothing
    where there is none at all.
    """
    apart = image.astype(np.float32) - warped
    square = np.ones((2 * RING + 1, 2 * RING + 1), np.uint8)
    ring = (cv2.dilate(inside.astype(np.uint8), square) > 0) & ~inside
    skin = ring * joined * _likeness_to_skin(image, warped[inside])
    total, count = (skin[..., None] * apart).sum((0, 1)), skin.sum()
    everywhere = total / (count + 0.03 * ring.sum() + 1e-6)
    near, much, most = (
        cv2.GaussianBlur(values.astype(np.float32), (0, 0), RING_BLUR)
        for values in (skin[..., None] * apart, skin, ring)
    )
    few = 0.05 * most[..., None] + 1e-6
    shift = (near + few * everywhere) / (much[..., None] + few)
    return np.rint(np.clip(warped + shift, 0, 255)).astype(np.uint8)


def _likeness_to_skin(image: np.ndarray, face: np.ndarray) -> np.ndarray:
    """How well each pixel's colour fits a face's pixels [N, 3], 0 to 0.9, [H, W]."""
    median, spread = _robust(cv2.cvtColor(face[None], cv2.COLOR_RGB2LAB)[0])
    allowed = np.maximum(SKIN_SPREAD * spread, LEAST_SPREAD)
    away = (cv2.cvtColor(image, cv2.COLOR_RGB2LAB) - median) / allowed
    return np.maximum(np.exp(-np.square(away).sum(-1) / 2) - UNLIKE, 0)


def _clone(source: np.ndarray, target: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The target with the source's gradients inside; may touch the border.

    OpenCV takes the target's gradients in a rim of ERODED pixels inside its mask;
    widening the mask by as much undoes that.
    """
    pad = ((ERODED + 1, ERODED + 1),) * 2
    kernel = np.ones((2 * ERODED + 1, 2 * ERODED + 1), np.uint8)
    padded = cv2.dilate(np.pad(inside.astype(np.uint8) * 255, pad), kernel)
    rows, columns = np.nonzero(padded.any(1))[0], np.nonzero(padded.any(0))[0]
    centre = (
        int(columns[0] + columns[-1] + 1) // 2,
        int(rows[0] + rows[-1] + 1) // 2,
    )
    source, target = (
        np.pad(image, (*pad, (0, 0)), mode="edge") for image in (source, target)
    )
    cloned = cv2.seamlessClone(source, target, padded, centre, cv2.NORMAL_CLONE)
    return cloned[ERODED + 1 : -ERODED - 1, ERODED + 1 : -ERODED - 1]
