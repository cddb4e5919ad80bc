"""Landmarks smoothed in time, without lag.

Source: Casiez, Roussel, Vogel, "1 Euro filter", CHI 2012. Differs: the filter runs
forwards and backwards, and the mean is taken, so that nothing lags.
"""

import numpy as np

# Hertz, and by how much the speed (face widths a second) raises it. Chosen on a talking
# head: jitter falls to a third, points move by less than 1% of the face's width.
MIN_CUTOFF, BETA = 2.0, 8.0
SPEED_CUTOFF = 1.0  # hertz, of the speed
MAX_SHIFT = 0.03  # of the face's width; where frames are far apart the filter lags


def smooth(times: np.ndarray, points: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Returns the points with jitter removed, float [T, ...]; none moves far.

    Args:
      times: float [T], seconds, increasing.
      points: float [T, ...].
      widths: float [T], the face's width in the unit of the points. The median scales
        the speed; each limits the shift at its time.
    """
    if len(times) < 2:
        return points
    scale = float(np.median(widths))
    forwards = _one_euro(times, points / scale)
    backwards = _one_euro(-times[::-1], points[::-1] / scale)[::-1]
    shift = (forwards + backwards) / 2 - points / scale
    most = MAX_SHIFT * widths.reshape(-1, *[1] * (points.ndim - 1))
    return (points + np.clip(shift * scale, -most, most)).astype(points.dtype)


def _one_euro(times: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The filter in one direction; the speed is the mean of all points."""
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
    """Weight of a new value in a low-pass filter."""
    constant = 1 / (2 * np.pi * cutoff)
    return elapsed / (elapsed + constant)
