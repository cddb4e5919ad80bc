"""Faces found by size, by roll and one before another; false alarms; time.

    taskset -c 0 python -m benchmarks.face_recall --scenes scenes \\
        --faces 2007_007763.jpg:7,2008_001322.jpg:3 --without noface.jpg

The tables of docs/RELIABILITY.md. Composites are planted in pictures. Photos with
faces counted by eye (--faces) and photos that show none (--without) lie in the folder
--scenes. Time is for one thread, in turn, in composites of half the picture's width.
"""

import pathlib
import time
from collections.abc import Callable, Iterable
from unittest import mock

import click
import cv2
import numpy as np

from anonygan_jax.data.records import EMBEDDED_COMPOSITES, FaceRecord, FaceRecords
from anonygan_jax.detection import centerface, make_detector
from anonygan_jax.detection.detector import Detection, FaceDetector
from anonygan_jax.detection.merging import ious, matches
from anonygan_jax.io.photos import read_photo
from benchmarks.detection_quality import parse_counts
from benchmarks.planted_faces import face_box, pair, portrait

MAX_ERROR = 0.12  # of the face's width
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
SIDES = (160, 320, 640, 1280, 2560, 4000, 8000)
ANGLES = tuple(range(0, 360, 30))
FACES_BY_ANGLE = ((640, 13), (640, 20), (640, 64), (640, 256), (640, 576), (1280, 26))
OVERLAPS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
RATIOS = (1.0, 1.4, 2.0, 3.0, 4.0)
PAIR_SIDE, FRONT_WIDTHS = 1000, (60, 90, 140)
TIMED_SIDES, RUNS = (640, 1280, 4000), 5


@click.command()
@click.option("--count", default=6, help="Composites in each cell.")
@click.option("--scenes", default=".", type=click.Path(path_type=pathlib.Path))
@click.option("--faces", default="", help="NAME:COUNT,... of photos with faces.")
@click.option("--without", default="", help="NAME,... of photos without.")
def main(count: int, scenes: pathlib.Path, faces: str, without: str) -> None:
    """Prints the tables."""
    cv2.setNumThreads(1)
    records = FaceRecords(EMBEDDED_COMPOSITES)
    composites = records.read(range(0, len(records), len(records) // count))[:count]
    detector = make_detector()
    by_size(detector, composites)
    by_angle(detector, composites)
    for name, number in parse_counts(faces).items():
        of_scene(detector, name, read_photo(scenes / name), number)
    pairs(detector, composites)
    for name in filter(None, without.split(",")):
        found = detector.boxes(read_photo(scenes / name))
        click.echo(f"| {name} | {len(found)} false |")
    times(detector, composites[0])


def by_size(detector: FaceDetector, composites: list[FaceRecord]) -> None:
    """Prints faces in the right place, with landmarks there, and with one box."""
    _row("side, width of the face", SHARES)
    for side in SIDES:
        cells = []
        for share in SHARES:
            counts = [_placed(detector, r, side, share * side) for r in composites]
            cells.append("/".join(map(str, np.sum(counts, 0))))
        _row(side, cells)


def _placed(
    detector: FaceDetector, record: FaceRecord, side: int, width: float
) -> tuple[bool, bool, bool]:
    """Whether box and landmarks are right, and whether there is one box."""
    image, points = portrait(record, side, width)
    true = face_box((side / 2, side / 2), width)
    found = detector.boxes(image)
    errors = [
        np.abs(np.clip(f.box_xyxy, 0, side) - np.clip(true, 0, side)) for f in found
    ]
    good = [
        f for f, e in zip(found, errors, strict=True) if e.max() < MAX_ERROR * width
    ]
    shapes = [detector.face(image, f).points_xy for f in good]
    return bool(good), _has_landmarks(shapes, points, width), len(found) == 1


def _has_landmarks(shapes: list[np.ndarray], points: np.ndarray, width: float) -> bool:
    """Whether a face's landmarks are where they should be."""
    apart = [np.linalg.norm(s - points, axis=-1).mean() for s in shapes if len(s)]
    return min(apart, default=np.inf) < MAX_ERROR * width


def by_angle(detector: FaceDetector, composites: list[FaceRecord]) -> None:
    """Prints faces found, with right landmarks, and with one box, of each size."""
    _row("degrees, side and width", FACES_BY_ANGLE)
    for degrees in ANGLES:
        cells = []
        for side, width in FACES_BY_ANGLE:
            counts = [_turned(detector, r, side, width, degrees) for r in composites]
            cells.append("/".join(map(str, np.sum(counts, 0))))
        _row(degrees, cells)


def _turned(
    detector: FaceDetector, record: FaceRecord, side: int, width: float, degrees: float
) -> tuple[bool, bool, bool]:
    """As `_placed`, of boxes that overlap by half."""
    image, points = portrait(record, side, width, degrees)
    true = face_box((side / 2, side / 2), width, degrees)
    found = detector.boxes(image)
    good = [f for f in found if ious(f.box_xyxy[None], true[None])[0, 0] > 0.5]
    shapes = [detector.face(image, f).points_xy for f in good]
    return bool(good), _has_landmarks(shapes, points, width), len(found) == 1


def of_scene(detector: FaceDetector, name: str, photo: np.ndarray, number: int) -> None:
    """Prints boxes and faces with landmarks of a photo turned by all angles."""
    cells = []
    for degrees in ANGLES:
        image = _canvas(photo, degrees)
        found = detector.boxes(image)
        meshes = [len(detector.face(image, f).points_xy) > 0 for f in found]
        cells.append(f"{len(found)}/{sum(meshes)}")
    _row(f"{name}: {number}", cells)


def _canvas(photo: np.ndarray, degrees: float) -> np.ndarray:
    """All of a photo, turned clockwise, on grey."""
    if degrees % 90 == 0:
        return np.ascontiguousarray(np.rot90(photo, -round(degrees / 90)))
    size = np.array(photo.shape[1::-1])
    matrix = cv2.getRotationMatrix2D((size / 2 - 0.5).tolist(), -degrees, 1.0)
    new = np.ceil(np.abs(matrix[:, :2]) @ size).astype(int)
    matrix[:, 2] += (new - size) / 2
    return cv2.warpAffine(photo, matrix, new.tolist(), borderValue=(127,) * 3)


def pairs(detector: FaceDetector, composites: list[FaceRecord]) -> None:
    """Prints in how many pictures both faces are found, and all other boxes."""
    _row("ratio of widths, overlap", OVERLAPS)
    for ratio in RATIOS:
        cells = []
        for overlap in OVERLAPS:
            drawn = [
                pair(
                    (composites[n], composites[n - 1]),
                    PAIR_SIDE,
                    (ratio * FRONT_WIDTHS[n % 3], FRONT_WIDTHS[n % 3]),
                    overlap,
                    2.4 * n,
                )
                for n in range(len(composites))
            ]
            there = [(image, true) for image, true in filter(None, drawn)]
            hits = [_num_found(detector.boxes(image), true) for image, true in there]
            both, more = sum(h == 2 for h, _ in hits), sum(m for _, m in hits)
            cells.append(f"{both} of {len(there)}, {more}" if there else "")
        _row(ratio, cells)


def _num_found(found: list[Detection], true: np.ndarray) -> tuple[int, int]:
    """Faces with a box of their own, and the number of other boxes."""
    boxes = np.array([f.box_xyxy for f in found], np.float32).reshape(-1, 4)
    number = len(matches(ious(true, boxes)))
    return number, len(found) - number


def times(detector: FaceDetector, record: FaceRecord) -> None:
    """Prints milliseconds a photo."""
    network = centerface.CenterFace()

    def usual(photo: np.ndarray) -> object:
        with mock.patch.object(centerface, "SIDES", centerface.SIDES[:1]):
            return network.boxes(photo)

    searches: dict[str, Callable[[np.ndarray], object]] = {
        "usual copy": usual,
        "all copies": network.boxes,
        "all copies and turns": detector.boxes,
        "quick search": detector.quick_boxes,
    }
    _row("ms", TIMED_SIDES)
    photos = [portrait(record, side, side / 2)[0] for side in TIMED_SIDES]
    for name, search in searches.items():
        _row(name, [f"{_milliseconds(search, photo):.0f}" for photo in photos])


def _milliseconds(search: Callable[[np.ndarray], object], photo: np.ndarray) -> float:
    """The median of some calls."""
    taken = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        search(photo)
        taken.append(time.perf_counter() - start)
    return 1e3 * float(np.median(taken[1:]))


def _row(name: object, cells: Iterable[object]) -> None:
    """Prints a row of a table."""
    click.echo(f"| {name} | {' | '.join(map(str, cells))} |")


if __name__ == "__main__":
    main()
