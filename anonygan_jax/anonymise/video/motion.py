"""Where motion carries a box from one frame to another: sparse optical flow."""

from collections import deque

import cv2
import numpy as np

SIDE = 640  # pixels of the grey copies, at most
GRID = 9  # points across and down
WINDOW, LEVELS = (15, 15), 4  # pixels and pyramid levels of Lucas and Kanade's method
MAX_ERROR = 1.5  # pixels, of a point that is followed there and back
MIN_SHARE = 0.3  # of the points, which must come back
MAX_GROWTH = 1.25  # of a box from one frame to the next
HISTORY = 12  # frames
MIN_INSIDE = 0.15  # of a box's area; with less of it in the picture it has left


class Motion:
    """Grey copies of the last frames, and the motion between them.

    Source: Bouguet 2001, the pyramidal method of Lucas and Kanade; points that do not
    come back when followed backwards are left out (Kalal et al. 2010).
    """

    def __init__(self) -> None:
        self._greys: deque[np.ndarray] = deque(maxlen=HISTORY)
        self._scale = 1.0
        self._limit = np.zeros(2)

    def __len__(self) -> int:
        """Returns the number of remembered frames."""
        return len(self._greys)

    def add(self, image: np.ndarray) -> None:
        """Remembers a frame, uint8 [H, W, 3] RGB."""
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        self._limit = np.array(image.shape[1::-1], np.float32)
        self._scale = min(1.0, SIDE / max(grey.shape))
        if self._scale < 1:
            size = tuple(max(1, round(n * self._scale)) for n in grey.shape[::-1])
            grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        if self._greys and self._greys[-1].shape != grey.shape:
            self._greys.clear()
        self._greys.append(grey)

    def forget(self) -> None:
        """Forgets all frames but the last, as another scene begins."""
        while len(self._greys) > 1:
            self._greys.popleft()

    def carried(
        self, box_xyxy: np.ndarray, start: int = 1, end: int = 0
    ) -> np.ndarray | None:
        """Returns a box of one frame as motion carries it into another, float32 [4].

        It moves with most points inside it, else with most points of the picture. None
        if neither is followed.

        Args:
          start, end: frames before the last one.
        """
        matched = self._matched(box_xyxy, start, end)
        if matched is None:
            return self.carried_with_picture(box_xyxy, start, end)
        return _moved(box_xyxy, _shift(*matched) / self._scale, _growth(*matched))

    def carried_with_picture(
        self, box_xyxy: np.ndarray, start: int = 1, end: int = 0
    ) -> np.ndarray | None:
        """Returns a box that moves with most points of the picture; see `carried`."""
        whole = np.array([0, 0, *self._limit], np.float32)
        matched = self._matched(whole, start, end)
        if matched is None:
            return None
        return _moved(box_xyxy, _shift(*matched) / self._scale, 1.0)

    def _matched(
        self, box_xyxy: np.ndarray, start: int, end: int
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Points of a box in two of the grey copies; None if too few are followed."""
        if max(start, end) >= len(self._greys):
            return None
        before, after = self._greys[-1 - start], self._greys[-1 - end]
        corners = (box_xyxy * self._scale).reshape(2, 2)
        low, high = np.clip(corners, 0, np.array(before.shape[::-1]) - 1.0)
        return _followed(before, after, low, high)

    def is_outside(self, box_xyxy: np.ndarray) -> bool:
        """Returns whether a box has left the picture but for a rest."""
        low, high = np.clip(box_xyxy.reshape(2, 2), 0, self._limit)
        area = float(np.prod(box_xyxy[2:] - box_xyxy[:2]))
        return float(np.prod(high - low)) < MIN_INSIDE * max(area, 1.0)


def _followed(
    before: np.ndarray, after: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Points of a grid, [N, 2], before and after; None if too few are followed."""
    axes = [np.linspace(low[n], high[n], GRID + 2)[1:-1] for n in (0, 1)]
    points = np.stack(np.meshgrid(*axes), -1).reshape(-1, 1, 2).astype(np.float32)
    there, found = _flow(before, after, points)
    back, again = _flow(after, before, there)
    error = np.linalg.norm(back - points, axis=-1).ravel()
    good = (error < MAX_ERROR) & (found.ravel() == 1) & (again.ravel() == 1)
    if good.mean() < MIN_SHARE:
        return None
    return points[good, 0], there[good, 0]


def _flow(
    before: np.ndarray, after: np.ndarray, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Points [N, 1, 2] in the other image, and whether each was found."""
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        before, after, points, np.zeros_like(points), None, None, WINDOW, LEVELS
    )
    return there, found


def _shift(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The median motion of points."""
    return np.median(after - before, axis=0)


def _growth(before: np.ndarray, after: np.ndarray) -> float:
    """By how much the distances between points grow."""
    apart = [np.linalg.norm(p - np.median(p, axis=0), axis=-1) for p in (before, after)]
    ratio = float(np.median(apart[1]) / max(float(np.median(apart[0])), 1e-6))
    return float(np.clip(ratio, 1 / MAX_GROWTH, MAX_GROWTH))


def _moved(box: np.ndarray, shift: np.ndarray, growth: float) -> np.ndarray:
    """A box that is shifted, and enlarged around its centre."""
    centre, half = (box[:2] + box[2:]) / 2 + shift, (box[2:] - box[:2]) / 2 * growth
    return np.concatenate([centre - half, centre + half]).astype(np.float32)
