"""A warped face laid into a picture: gradients blended, edges soft.

Poisson blending that meets the skin around a face, and other surroundings in part.
"""

import cv2
import numpy as np

from anonygan_jax.faces.skin import skin_probability

EDGE = 0.012  # of the face's width: outside the mask the new face fades so far
SOLVED_SIZE = 96  # pixels of the longer side at which crops are blended
JAW_ENDS = (0.3, 0.6)  # of the way from chin to eyes: between jaw and cheeks
MAX_BACKGROUND_BLEED = (
    60.0  # of 255: what differs more from the skin around is met so far
)
RING = 2  # pixels around the mask, at SOLVED_SIZE, whose colours the face meets,
RING_BLUR = 1.9  # averaged so far along the border
ERODED = 3  # pixels by which seamlessClone shrinks its mask


def blend(
    warped: np.ndarray, image: np.ndarray, mask: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """Returns the image whose gradients inside the mask are the warped face's.

    None of the image's own pixels inside are kept; outside the face fades.
    At its border the face takes the colours that are there, which carry the light of
    the place; but backgrounds and collars only in part. What is added to the warped
    face is smooth, so it is solved for at SOLVED_SIZE and enlarged.

    Args:
      warped: uint8 [H, W, 3].
      image: uint8 [H, W, 3].
      mask: float32 [H, W], 1 where the warped face goes.
      points: float [68, 2], its landmarks.
    """
    height, width = mask.shape
    shrink = max(1.0, max(height, width) / SOLVED_SIZE)
    small = (round(width / shrink), round(height / shrink))
    covered, source, target = (
        cv2.resize(a, small, interpolation=cv2.INTER_AREA)
        for a in ((mask > 0).astype(np.float32), warped, image)
    )
    inside, joined = covered > 0, _continuity(points / shrink, small)
    cloned = _clone(source, _surroundings(source, target, inside, joined), inside)
    membrane = cv2.resize(
        cloned.astype(np.float32) - source,
        (width, height),
        interpolation=cv2.INTER_LINEAR,
    )
    blended = cv2.add(warped, membrane, dtype=cv2.CV_8U)
    return _fade(blended, image, feather_alpha(mask, points))


def _fade(new: np.ndarray, old: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The old picture with the new one laid over it, float32 [H, W] of it."""
    result = cv2.copyTo(new, (weight == 1).astype(np.uint8), old.copy())
    partly = (weight > 0) & (weight < 1)
    share = weight[partly][:, None]
    result[partly] = np.rint(share * new[partly] + (1 - share) * old[partly])
    return result


def _continuity(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Where a face goes on beyond its border, 0 below the mouth to 1 above, [H, W].

    Below, the jaw ends it before a neck that is darker, or nearer to the light.
    """
    chin, eyes = points[8], points[36:48].mean(0)
    up = (eyes - chin) / np.square(eyes - chin).sum()
    y, x = np.mgrid[: size[1], : size[0]]
    height = (x - chin[0]) * up[0] + (y - chin[1]) * up[1]  # 0 at the chin, 1 at eyes
    return np.clip((height - JAW_ENDS[0]) / np.ptp(JAW_ENDS), 0, 1).astype(np.float32)


def _surroundings(
    warped: np.ndarray, image: np.ndarray, inside: np.ndarray, joined: np.ndarray
) -> np.ndarray:
    """What the warped face has to meet at the border, uint8 [H, W, 3].

    The warped picture, shifted by what the image around the mask differs from it
    nearby, as far as that is within LEAK of what its skin differs.
    """
    apart = image.astype(np.float32) - warped
    square = np.ones((2 * RING + 1, 2 * RING + 1), np.uint8)
    ring = (cv2.dilate(inside.astype(np.uint8), square) > 0) & ~inside
    if not ring.any():
        return warped
    skin = ring * joined * skin_probability(image, warped[inside])
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


def feather_alpha(mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Returns float32 [H, W]: 1 all over the mask, falling to 0 outside it.

    The fall lies outside, so that nothing of the hidden face shines through.

    Args:
      mask: float32 [H, W].
      points: float [68, 2], whose width sets how far it falls.
    """
    outside = (mask == 0).astype(np.uint8)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, 5)
    return np.clip(1 - distance / (1 + edge_width(points)), 0, 1)


def edge_width(points: np.ndarray) -> float:
    """Returns over how many pixels outside the mask a new face fades."""
    return EDGE * float(np.linalg.norm(points[16] - points[0]))
