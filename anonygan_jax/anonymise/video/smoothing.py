"""Landmarks smoothed in time, without lag.

Source: Casiez, Roussel, Vogel, "1 Euro filter", CHI 2012. Differs: run forwards and
backwards and averaged, as the whole video is known, so that nothing lags behind.
"""

import numpy as np

# Hertz, and how much faster movement (in face widths a second) raises that. Chosen on a
# talking head: jitter falls to a third while points stay within 1% of the face's width.
MIN_CUTOFF, BETA = 2.0, 8.0
SPEED_CUTOFF = 1.0  # hertz, for the speed itself


def smooth(times: np.ndarray, points: np.ndarray, scale: float) -> np.ndarray:
    """Returns float [T, ...], the points with jitter removed.

    Args:
      times: float [T], seconds, rising.
      points: float [T, ...].
      scale: the face's width in the unit of the points.
    """
    if len(times) < 2:
        return points
    forwards = _one_euro(times, points / scale)
    backwards = _one_euro(-times[::-1], points[::-1] / scale)[::-1]
    return ((forwards + backwards) / 2 * scale).astype(points.dtype)


def _one_euro(times: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The filter in one direction; all points of a face share one speed."""
    result = np.array(points, np.float64)
    speed = np.zeros(points.shape[1:])
    for n in range(1, len(points)):
        elapsed = max(float(times[n] - times[n - 1]), 1e-3)
        now = (points[n] - points[n - 1]) / elapsed
        speed += _share(elapsed, SPEED_CUTOFF) * (now - speed)
        cutoff = MIN_CUTOFF + BETA * float(np.abs(speed).mean())
        result[n] = result[n - 1] + _share(elapsed, cutoff) * (
            points[n] - result[n - 1]
        )
    return result


def _share(elapsed: float, cutoff: float) -> float:
    """How much of the way to a new value a low-pass filter goes."""
    constant = 1 / (2 * np.pi * cutoff)
    return elapsed / (elapsed + constant)


def jitter(points: np.ndarray, scale: float) -> float:
    """Returns the mean second difference in time, in shares of the face's width.

    Args:
      points: float [T, K, 2].
      scale: the face's width.
    """
    bends = points[2:] - 2 * points[1:-1] + points[:-2]
    return float(np.linalg.norm(bends, axis=-1).mean() / scale)
