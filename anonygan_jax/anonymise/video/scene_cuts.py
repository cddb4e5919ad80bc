"""Scene cuts, by small copies of consecutive frames."""

import cv2
import numpy as np

SIDE = 64  # pixels of the copies
CHANGED = 0.4  # of the light, in a scene cut; fast pans reach 0.35
SAME_SCENE = 0.7  # correlation of the copies, above which only the light has changed
FLAT = 6.0  # levels of 255, standard deviation of a picture that shows nothing


class SceneCuts:
    """Compares each frame with the last one before it that shows anything."""

    def __init__(self) -> None:
        self._before: np.ndarray | None = None

    def is_cut(self, image: np.ndarray) -> bool:
        """Returns whether a frame, uint8 [H, W, 3], begins another scene.

        A flash, a black or white frame, or a light that is switched on, is no cut.
        """
        small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        now, before = small.astype(np.float32), self._before
        if float(now.mean(-1).std()) < FLAT and before is not None:
            return False
        self._before = now
        if before is None:
            return False
        light = max(float(np.maximum(now, before).sum()), 1.0)
        if float(np.abs(now - before).sum()) <= CHANGED * light:
            return False
        return _correlation(now.mean(-1), before.mean(-1)) < SAME_SCENE


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's; 0 where one of both is flat."""
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / norm if norm > 1e-3 else 0.0
