"""Milliseconds a face of methods that replace faces, without detection.

    taskset -c 0 python -m benchmarks.face_speed --methods=warp,anonygan --width=250

The package's composites are enlarged until their faces have the given width in pixels,
from jaw to jaw. The peer, timed in turn in the same run, is OpenCV's blending alone at
full size (`seamlessClone`). Methods: names, or NAME:CHECKPOINT.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from absl import app, flags

from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.data.records import EMBEDDED_COMPOSITES, FaceRecord, FaceRecords
from anonygan_jax.faces import alignment
from anonygan_jax.faces.masks import face_mask
from anonygan_jax.methods import make_methods
from anonygan_jax.methods.method import Conditions, Faces, Replacer

_WIDTH = flags.DEFINE_integer("width", 250, "Of a face, pixels from jaw to jaw.")
_RUNS = flags.DEFINE_integer("runs", 40, "Faces each.")
_METHODS = flags.DEFINE_list("methods", ["warp"], "What is timed.")
PEER = "seamlessClone"
CHOSEN = (0, 51, 100, 150, 200)


def enlarged(record: FaceRecord) -> Faces:
    """A composite at the wanted size, as a batch."""
    old = record.image.shape[:2]
    points = record.points_xy
    scale = _WIDTH.value / float(np.linalg.norm(points[16] - points[0]))
    size = (round(old[0] * scale), round(old[1] * scale))
    points = alignment.transform_points(alignment.resize_transform(old, size), points)[
        None
    ]
    image = cv2.resize(record.image, size[::-1])
    mask = face_mask(points, size)
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
    """Prints minimum, median and maximum of each, and its ratio to the peer's."""
    cv2.setNumThreads(1)
    faces = [
        enlarged(record) for record in FaceRecords(EMBEDDED_COMPOSITES).read(CHOSEN)
    ]
    settings = {text: Settings.of_method(text) for text in _METHODS.value}
    methods = {
        text: make_methods(setting.method, setting.checkpoint)[0]
        for text, setting in settings.items()
    }
    times: dict[str, list[float]] = {name: [] for name in (PEER, *methods)}
    for number in range(_RUNS.value):
        face, other = (faces[(number + i) % len(faces)] for i in (0, 1))
        condition = Conditions(other.images, other.points_xy)
        times[PEER].append(timed(partial(clone, face)))
        for name, method in methods.items():
            arguments = (face, condition) if isinstance(method, Replacer) else (face,)
            times[name].append(timed(partial(method, *arguments)))
    for name, taken in times.items():
        ratios = [ours / peer for ours, peer in zip(taken, times[PEER], strict=True)]
        print(
            f"{name:14s}{min(taken):7.1f} {statistics.median(taken):7.1f} "
            f"{max(taken):7.1f} ms, {statistics.median(ratios):.2f} of {PEER}"
        )


if __name__ == "__main__":
    app.run(main)
