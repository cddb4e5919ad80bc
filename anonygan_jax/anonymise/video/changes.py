"""Parts of the picture that show something new, where a face may have come."""

from collections.abc import Iterable

import cv2
import numpy as np

SIDE = 320  # pixels of the grey copies, at most
MOVED = 3  # pixels of a copy, across and down, within which the flow may err
SHORTEST = 64  # pixels of a copy's sides; the flow crashes in strips of 30
CHANGED = 16  # levels of 255; noise and compression stay below it in such copies
SMALLEST = 2  # pixels of a copy, across and down, of a change that counts
ROOM = 0.05  # of the longer side, around a change: a face is larger than what is new
OF_FACES = 0.25  # of a face's box, around it, which changes when the face moves


class Changes:
    """Compares each frame with the last one that was compared.

    What is new is what dense optical flow (Kroeger et al. 2016) from the frame before
    does not explain: motion of what was there before is not.
    """

    def __init__(self) -> None:
        self._before: np.ndarray | None = None
        preset = cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST
        self._flow = cv2.DISOpticalFlow.create(preset)

    def parts(self, image: np.ndarray, faces: Iterable[np.ndarray]) -> list[np.ndarray]:
        """Returns where a frame shows something new, int [4] each: x0, y0, x1, y1.

        With room around it; none in the first frame.

        Args:
          image: uint8 [H, W, 3] RGB.
          faces: boxes of faces that are known; what is new in them does not count.
        """
        grey, scale = _grey(image)
        before, self._before = self._before, grey
        if before is None or before.shape != grey.shape:
            return []
        new = self._new(grey, before)
        for box in faces:
            room = OF_FACES * (box[2:] - box[:2])
            low = np.maximum((box[:2] - room) * scale, 0).astype(int)
            high = np.ceil((box[2:] + room) * scale).astype(int)
            new[low[1] : high[1], low[0] : high[0]] = 0
        room = round(ROOM * max(grey.shape))
        near = cv2.dilate(new, np.ones((2 * room + 1, 2 * room + 1)))
        _, _, found, _ = cv2.connectedComponentsWithStats(near)
        corners = found[1:, :2], found[1:, :2] + found[1:, 2:4]
        limit = image.shape[1::-1]
        parts = [
            np.concatenate([low / scale, np.minimum(high / scale, limit)]).astype(int)
            for low, high in zip(*corners, strict=True)
        ]
        return [part for part in parts if (part[2:] > part[:2]).all()]

    def _new(self, grey: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Which pixels of a copy show nothing that was near there before, uint8."""
        flow = self._flow.calc(grey, before, None)  # type: ignore[call-overload]
        rows, columns = np.indices(grey.shape, np.float32)
        there = columns + flow[..., 0], rows + flow[..., 1]
        # What comes in at the border is new, whatever it looks like.
        is_inside = cv2.remap(np.full_like(before, 1), *there, cv2.INTER_NEAREST)
        carried = cv2.remap(before, *there, cv2.INTER_LINEAR)
        near = np.ones((MOVED, MOVED))
        more = cv2.subtract(grey, cv2.dilate(carried, near))
        less = cv2.subtract(cv2.erode(carried, near), grey)
        new = (np.maximum(more, less) > CHANGED) | (is_inside == 0)
        return cv2.morphologyEx(
            new.astype(np.uint8), cv2.MORPH_OPEN, np.ones((SMALLEST, SMALLEST))
        )


def _grey(image: np.ndarray) -> tuple[np.ndarray, float]:
    """A small grey copy, and its scale."""
    scale = min(1.0, SIDE / max(image.shape[:2]))
    size = tuple(max(1, round(n * scale)) for n in image.shape[1::-1])
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    right, below = (max(0, SHORTEST - n) for n in size)
    wide = cv2.copyMakeBorder(small, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return cv2.cvtColor(wide, cv2.COLOR_RGB2GRAY), scale
