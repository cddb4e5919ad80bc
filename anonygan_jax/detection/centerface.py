"""Boxes of faces by CenterFace, of small, large, rotated and occluded ones.

Source: Xu et al. 2020; the network file of its authors (MIT licence), see
assets/detectors.
"""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from anonygan_jax.detection.merging import CLEAR_SCORE, Search, merge
from anonygan_jax.io.onnx_file import ASSETS, OnnxFile

STRIDE = 4  # pixels of the image a cell of the result
MULTIPLE = 32  # of which the sides of the network's image must be multiples
SIDES = (1280, 640, 320, 160)  # pixels, longer ones of the copies that are searched
# Longer sides of faces in a copy, pixels: those that are found even if it is a reduced
# one, those with a box in the right place, those that are not found in parts.
SMALLEST, LARGEST, LARGEST_WHOLE = 32, 330, 550
THRESHOLD = 0.35  # of the score
# Intersection over union in non-maximum suppression: boxes of one face have above 0.75,
# those of two faces, one of them half covered, up to 0.5.
MAX_BOX_OVERLAP = 0.5


class CenterFace:
    """Detector of faces of all sizes and poses."""

    def __init__(self, threshold: float | None = None) -> None:
        """Loads the network.

        Args:
          threshold: of the score, 0 to 1; a lower one gives more faces and more false
            positives. None for THRESHOLD.

        Raises:
          ValueError: the threshold is not between 0 and 1.
        """
        threshold = THRESHOLD if threshold is None else threshold
        if not 0 < threshold < 1:
            raise ValueError(
                f"threshold is {threshold}, wanted a share between 0 and 1"
            )
        self._threshold = threshold
        self._network = OnnxFile(ASSETS / "detectors" / "centerface.onnx")

    def boxes(
        self, image_u8: UInt8[np.ndarray, "H W 3"], fine_only: bool = False
    ) -> Float[np.ndarray, "N 6"]:
        """Returns boxes, scores and roll; see `Detector`."""
        longer = max(image_u8.shape[:2])
        sides = [SIDES[0], *(side for side in SIDES[1:] if side < longer)]
        searches, copy = [], image_u8
        for side in sides[:1] if fine_only else sides:
            copy, scale = _copy(copy, image_u8.shape, side)
            boxes = self._search(copy, image_u8.shape)
            longer_sides = scale * (boxes[:, 2:4] - boxes[:, :2]).max(-1)
            is_first, is_last = side == sides[0], side == sides[-1]
            good = is_first | (longer_sides >= SMALLEST)
            good &= is_last | (longer_sides <= LARGEST)
            searches.append(
                Search(
                    boxes[good],
                    smallest=SMALLEST / scale,
                    largest=float("inf") if is_last else LARGEST_WHOLE / scale,
                    min_score=0.0 if is_first else CLEAR_SCORE,
                )
            )
        return merge(searches)

    def _search(self, copy: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
        """Boxes in a copy, as boxes of the picture of a size."""
        batch = copy.transpose(2, 0, 1)[None].astype(np.float32)
        score, shape, offset, points = (x[0] for x in self._network(batch))
        found = decode(score[0], shape, offset, points, self._threshold)
        found[:, [0, 2]] *= size[1] / copy.shape[1]
        found[:, [1, 3]] *= size[0] / copy.shape[0]
        return found


def _copy(
    image_u8: np.ndarray, size: tuple[int, ...], side: int
) -> tuple[np.ndarray, float]:
    """A larger copy reduced to a longer side, in multiples, and its scale.

    Args:
      size: of the picture itself, height and width first.
    """
    scale = min(1.0, side / max(size[:2]))
    rows, columns = (
        max(MULTIPLE, round(n * scale / MULTIPLE) * MULTIPLE) for n in size[:2]
    )
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(image_u8, (columns, rows), interpolation=kind), scale


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
