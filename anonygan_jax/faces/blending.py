"""Poisson blending of a warped face into an image, with soft edges.

At its border the face takes the colours of the skin around it, and those of other
surroundings in part.
"""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from anonygan_jax.faces.skin import skin_probability

EDGE = 0.012  # of the face's width, over which the new face fades outside the mask
SOLVED_SIZE = 96  # pixels of the longer side at which crops are blended
JAW_ENDS = (0.3, 0.6)  # of the way from chin to eyes: between jaw and cheeks
# Of 255: the largest difference from the skin around that the border takes over.
MAX_BACKGROUND_BLEED = 60.0
RING = 2  # pixels around the mask, at SOLVED_SIZE, whose colours the border takes
RING_BLUR = 1.9  # pixels; deviation of their average along the border
ERODED = 3  # pixels by which seamlessClone shrinks its mask


def blend(
    warped: UInt8[np.ndarray, "H W 3"],
    image: UInt8[np.ndarray, "H W 3"],
    mask: Float[np.ndarray, "H W"],
    points: Float[np.ndarray, "68 2"],
) -> UInt8[np.ndarray, "H W 3"]:
    """Returns the image whose gradients inside the mask are the warped face's.

    No pixel of the image inside the mask is kept. Outside, the face fades. At its
    border the face takes the image's colours, and so its light; those of backgrounds
    and collars in part. The difference to the warped face is smooth, so it is solved
    for at SOLVED_SIZE and enlarged.

    Args:
      mask: float32 [H, W], 1 where the warped face is placed.
      points: float [68, 2], its landmarks.

    Source: Perez et al., "Poisson image editing", SIGGRAPH 2003; the treatment of the
    border is ours.
    """
    height, width = mask.shape
    shrink = max(1.0, max(height, width) / SOLVED_SIZE)
    small = (round(width / shrink), round(height / shrink))
    coverage, source, target = (
        cv2.resize(a, small, interpolation=cv2.INTER_AREA)
        for a in ((mask > 0).astype(np.float32), warped, image)
    )
    inside, continuity = coverage > 0, _continuity(points / shrink, small)
    cloned = _clone(source, _surroundings(source, target, inside, continuity), inside)
    membrane = cv2.resize(
        cloned.astype(np.float32) - source,
        (width, height),
        interpolation=cv2.INTER_LINEAR,
    )
    blended = cv2.add(warped, membrane, dtype=cv2.CV_8U)
    return _fade(blended, image, feather_alpha(mask, points))


def _fade(new: np.ndarray, old: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The old image blended with the new one by a weight, float32 [H, W]."""
    result = cv2.copyTo(new, (weight == 1).astype(np.uint8), old.copy())
    partly = (weight > 0) & (weight < 1)
    share = weight[partly][:, None]
    result[partly] = np.rint(share * new[partly] + (1 - share) * old[partly])
    return result


def _continuity(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Share of skin that continues beyond the face's border, float32 [H, W].

    1 above the mouth. 0 below, where the jaw ends at a neck of another brightness.
    """
    chin, eyes = points[8], points[36:48].mean(0)
    up = (eyes - chin) / np.square(eyes - chin).sum()
    y, x = np.mgrid[: size[1], : size[0]]
    height = (x - chin[0]) * up[0] + (y - chin[1]) * up[1]  # 0 at the chin, 1 at eyes
    return np.clip((height - JAW_ENDS[0]) / np.ptp(JAW_ENDS), 0, 1).astype(np.float32)


def _surroundings(
    warped: np.ndarray, image: np.ndarray, inside: np.ndarray, continuity: np.ndarray
) -> np.ndarray:
    """The colours that the warped face takes at the border, uint8 [H, W, 3].

    The warped image plus the mean difference of the image around the mask nearby. That
    difference is limited to MAX_BACKGROUND_BLEED around the difference of the skin.
    """
    apart = image.astype(np.float32) - warped
    square = np.ones((2 * RING + 1, 2 * RING + 1), np.uint8)
    ring = (cv2.dilate(inside.astype(np.uint8), square) > 0) & ~inside
    if not ring.any():
        return warped
    skin = ring * continuity * skin_probability(image, warped[inside])
    usual = (skin[..., None] * apart).sum((0, 1)) / (skin.sum() + 0.03 * ring.sum())
    beyond = apart - usual
    largest = np.maximum(np.abs(beyond).max(-1, keepdims=True), MAX_BACKGROUND_BLEED)
    met = (usual + beyond * (MAX_BACKGROUND_BLEED / largest)) * ring[..., None]
    near, most = (
        cv2.GaussianBlur(values.astype(np.float32), (0, 0), RING_BLUR)
        for values in (met, ring)
    )
    shift = near / np.maximum(most, 1e-4)[..., None]
    return np.rint(np.clip(warped + shift, 0, 255)).astype(np.uint8)


def _clone(source: np.ndarray, target: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The target with the source's gradients inside; the mask may touch the border.

    OpenCV takes the target's gradients in a rim of ERODED pixels inside its mask, so
    the mask is dilated by as much.
    """
    pad = ((ERODED + 1, ERODED + 1),) * 2
    kernel = np.ones((2 * ERODED + 1, 2 * ERODED + 1), np.uint8)
    padded = cv2.dilate(np.pad(inside.astype(np.uint8) * 255, pad), kernel)
    rows, columns = np.nonzero(padded.any(1))[0], np.nonzero(padded.any(0))[0]
    centre = (int(columns[0] + columns[-1] + 1) // 2, int(rows[0] + rows[-1] + 1) // 2)
    source, target = (
        np.pad(image, (*pad, (0, 0)), mode="edge") for image in (source, target)
    )
    cloned = cv2.seamlessClone(source, target, padded, centre, cv2.NORMAL_CLONE)
    return cloned[ERODED + 1 : -ERODED - 1, ERODED + 1 : -ERODED - 1]


def feather_alpha(
    mask: Float[np.ndarray, "H W"], points: Float[np.ndarray, "68 2"]
) -> Float[np.ndarray, "H W"]:
    """Returns float32 [H, W]: 1 inside the mask, falling to 0 outside it.

    The fall is outside, so that no pixel of the source's face is in the result.

    Args:
      points: float [68, 2]; the fall is a share of the face's width.
    """
    outside = (mask == 0).astype(np.uint8)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, 5)
    return np.clip(1 - distance / (1 + edge_width(points)), 0, 1)


def edge_width(points: Float[np.ndarray, "68 2"]) -> float:
    """Returns the pixels outside the mask over which a new face fades."""
    return EDGE * float(np.linalg.norm(points[16] - points[0]))
