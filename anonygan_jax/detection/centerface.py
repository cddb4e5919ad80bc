"""Boxes of faces by CenterFace, of small, rotated and occluded ones, too.

Source: Xu et al. 2020; the network file of its authors (MIT licence), see
assets/detectors.
"""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from anonygan_jax.detection.onnx import OnnxFile

STRIDE = 4  # pixels of the image a cell of the result
MULTIPLE = 32  # of which the sides of the network's image must be multiples
SEARCHED_SIDE = 1280  # pixels; larger photos are searched in a reduced copy
THRESHOLD = 0.35  # of the score
MAX_BOX_OVERLAP = 0.3  # intersection over union in non-maximum suppression


class CenterFace:
    """Detector of faces of all sizes and poses."""

    def __init__(self, threshold: float | None = None) -> None:
        """Loads the network.

        Args:
          threshold: of the score, 0 to 1; a lower one gives more faces and more false
            positives. None for THRESHOLD.

        Raises:
          ValueError: the threshold is not between 0 and 1.
          OnnxUnavailable: onnxruntime is missing.
        """
        threshold = THRESHOLD if threshold is None else threshold
        if not 0 < threshold < 1:
            raise ValueError(
                f"threshold is {threshold}, wanted a share between 0 and 1"
            )
        self._threshold = threshold
        self._network = OnnxFile("centerface.onnx")

    def boxes(self, image_u8: UInt8[np.ndarray, "H W 3"]) -> Float[np.ndarray, "N 6"]:
        """Returns boxes, scores and roll; see `Detector`."""
        height, width = image_u8.shape[:2]
        scale = min(1.0, SEARCHED_SIDE / max(height, width))
        rows, columns = (
            max(MULTIPLE, round(n * scale / MULTIPLE) * MULTIPLE)
            for n in (height, width)
        )
        blob = cv2.dnn.blobFromImage(image_u8, 1.0, (columns, rows))
        score, size, offset, points = (x[0] for x in self._network(blob))
        found = decode(score[0], size, offset, points, self._threshold)
        found[:, [0, 2]] *= width / columns
        found[:, [1, 3]] *= height / rows
        return found


def decode(
    score: Float[np.ndarray, "h w"],
    size: Float[np.ndarray, "2 h w"],
    offset: Float[np.ndarray, "2 h w"],
    points: Float[np.ndarray, "10 h w"],
    threshold: float,
) -> Float[np.ndarray, "N 6"]:
    """Returns float32 [N, 6], boxes, scores and roll from the network's maps.

    Args:
      score: float [h, w], 0 to 1.
      size: float [2, h, w], logarithms of height and width in cells.
      offset: float [2, h, w], of the centre from the cell's, down and across, in cells.
      points: float [10, h, w], five points (eyes first), each down and across, as
        shares of the box from its corner.
      threshold: of the score.
    """
    y, x = np.nonzero(score > threshold)
    scores = score[y, x]
    down, across = offset[:, y, x] + 0.5 + np.stack([y, x])
    height, width = np.exp(size[:, y, x])
    corners = np.stack(
        [across - width / 2, down - height / 2, across + width / 2, down + height / 2],
        -1,
    )
    boxes = (STRIDE * corners).astype(np.float32).reshape(-1, 4)
    sides = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], -1)
    places = cv2.dnn.NMSBoxes(
        sides.tolist(), scores.tolist(), threshold, MAX_BOX_OVERLAP
    )
    kept = np.asarray(places, int).reshape(-1)
    eyes = points[:4, y, x]  # down and across, left and right in the image
    roll = np.arctan2((eyes[2] - eyes[0]) * height, (eyes[3] - eyes[1]) * width)
    columns = [boxes[kept], scores[kept, None], roll[kept, None]]
    return np.concatenate(columns, -1).astype(np.float32)
