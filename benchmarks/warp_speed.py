"""Milliseconds a face of the method warp, on one core, without detection.

    taskset -c 0 python -m benchmarks.warp_speed --width=250

Composites of the package, enlarged until their faces are so many pixels from jaw to
jaw. The peer, timed in turn in the same run, is the blending alone as
OpenCV does it at full size (`seamlessClone`).
"""

import statistics
import time
from collections.abc import Callable
from functools import partial

import cv2
import jax.numpy as jnp
import numpy as np
from absl import app, flags

from anonygan_jax.data import crops
from anonygan_jax.data.masks import face_mask
from anonygan_jax.data.records import EMBEDDED, FaceRecord, FaceRecords
from anonygan_jax.methods import Faces, make_method

_WIDTH = flags.DEFINE_integer("width", 250, "Of a face, pixels from jaw to jaw.")
_RUNS = flags.DEFINE_integer("runs", 40, "Faces warped.")
CHOSEN = (0, 51, 100, 150, 200)


def enlarged(record: FaceRecord) -> Faces:
    """A composite at the wanted size, as a batch."""
    old = record.image.shape[:2]
    points = record.points_xy
    scale = _WIDTH.value / float(np.linalg.norm(points[16] - points[0]))
    size = (round(old[0] * scale), round(old[1] * scale))
    points = crops.transform_points(crops.resize_transform(old, size), points)[None]
    image = cv2.resize(record.image, size[::-1])
    mask = np.asarray(face_mask(jnp.asarray(points), size))[..., 0]
    return Faces(image[None], points, mask)


def timed(function: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    start = time.perf_counter()
    function()
    return 1e3 * (time.perf_counter() - start)


def clone(faces: Faces) -> np.ndarray:
    """A face blended into itself at full size."""
    image, inside = faces.images[0], np.uint8(255) * (faces.masks[0] > 0)
    x, y, width, height = cv2.boundingRect(inside)
    centre = (x + width // 2, y + height // 2)
    return cv2.seamlessClone(image, image, inside, centre, cv2.NORMAL_CLONE)


def main(_: list[str]) -> None:
    """Prints minimum, median and maximum of both, and the ratio."""
    cv2.setNumThreads(1)
    faces = [enlarged(record) for record in FaceRecords(EMBEDDED).read(CHOSEN)]
    warp = make_method("warp")
    ours, peers = [], []
    for number in range(_RUNS.value):
        face, other = (faces[(number + i) % len(faces)] for i in (0, 1))
        ours.append(timed(partial(warp, face, other)))
        peers.append(timed(partial(clone, face)))
    for name, times in (("warp", ours), ("seamlessClone", peers)):
        low, high = min(times), max(times)
        print(f"{name:14s}{low:7.1f} {statistics.median(times):7.1f} {high:7.1f} ms")
    ratios = [ours / peer for ours, peer in zip(ours, peers, strict=True)]
    print(f"warp / seamlessClone {statistics.median(ratios):.2f} (median of pairs)")


if __name__ == "__main__":
    app.run(main)
