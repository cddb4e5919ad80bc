"""Frames of a video in which a face that only full searches show is not hidden.

    python -m benchmarks.small_in_video --every 5,9

A composite's head comes into a picture of 640x360 and moves: 12 pixels wide and upright
beside a larger face, or 12 and 14 pixels wide and turned, alone. A frame counts where
the face's place is as it was.
"""

import itertools
import pathlib
import tempfile

import click
import cv2
import numpy as np

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.errors import NoFaceError
from anonygan_jax.anonymise.video.anonymise import anonymise_video
from anonygan_jax.anonymise.video.source import Video
from anonygan_jax.data.records import EMBEDDED_COMPOSITES, FaceRecord, FaceRecords
from anonygan_jax.faces.alignment import crop_photo
from benchmarks.planted_faces import OVAL, OVAL_LIFT, WIDTH, placement
from benchmarks.video_leaks import Frames, write_lossless

SIZE, FPS, LENGTH = (360, 640), 30, 70  # height and width; frames
FIRST = 10  # frame in which the face comes: just after a search in each 9th
# Width of the small face, degrees clockwise, whether there is a larger one.
KINDS = ((12, (0,), True), (12, (90, 180, 270), False), (14, (90, 180, 270), False))
PEOPLE, SPEEDS = (5, 70), (0.5, 4.0)  # composites; pixels a frame
CHANGED = 0.3  # of the contrast: less is a face as it was


@click.command()
@click.option("--every", default="5,9", help="Frames between full searches.")
def main(every: str) -> None:
    """Prints a table."""
    records = FaceRecords(EMBEDDED_COMPOSITES)
    large = records.read([9])[0]
    anonymiser = Anonymiser("blackout")
    numbers = [int(n) for n in every.split(",")]
    click.echo(f"| width, turned, speed | frames | {' | '.join(map(str, numbers))} |")
    click.echo("|---|---|" + "---|" * len(numbers))
    for (width, degrees, is_beside), speed in itertools.product(KINDS, SPEEDS):
        clips = [
            clip(small, large if is_beside else None, width, speed, angle)
            for small in records.read(PEOPLE)
            for angle in degrees
        ]
        left = [sum(num_left(anonymiser, *c, n) for c in clips) for n in numbers]
        shown = len(clips) * (LENGTH - FIRST)
        cells = " | ".join(map(str, left))
        click.echo(f"| {width}, {not is_beside}, {speed} | {shown} | {cells} |")


def clip(
    small: FaceRecord,
    large: FaceRecord | None,
    width: float,
    speed: float,
    degrees: float,
) -> tuple[Frames, list[np.ndarray]]:
    """Returns frames, and the map of the small face in each after FIRST."""
    rng = np.random.default_rng(0)
    wall = rng.integers(125, 145, (36, 64, 3), np.uint8)
    wall = cv2.resize(wall, SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    if large is not None:
        _draw(wall, large, placement((140, 200), 90))
    frames, places = [], []
    for number in range(LENGTH):
        frame = wall.copy()
        if number >= FIRST:
            moved = speed * (number - FIRST)
            place = placement((300 + moved, 110 + 0.3 * moved), width, degrees)
            _draw(frame, small, place)
            places.append(place)
        frames.append(frame)
    return frames, places


def _draw(image: np.ndarray, record: FaceRecord, place: np.ndarray) -> None:
    """Draws a composite's head over a picture."""
    middle = np.array(record.image.shape[1::-1]) / 2 - [0, OVAL_LIFT * WIDTH]
    mask = np.zeros(record.image.shape[:2], np.uint8)
    axes = np.rint(OVAL * WIDTH).astype(int)
    centre = np.rint(middle).astype(int)
    cv2.ellipse(mask, centre.tolist(), axes.tolist(), 0, 0, 360, 255, -1)
    face = crop_photo(record.image, place, SIZE, cv2.BORDER_REPLICATE)
    shapes = np.repeat(mask[..., None], 3, -1)
    weight = crop_photo(shapes, place, SIZE, cv2.BORDER_CONSTANT) / 255.0
    image[:] = np.rint(image + weight * (face.astype(np.float32) - image))


def num_left(
    anonymiser: Anonymiser, frames: Frames, places: list[np.ndarray], every: int
) -> int:
    """Returns in how many frames the small face is as it was."""
    with tempfile.TemporaryDirectory() as folder:
        source, output = (pathlib.Path(folder) / n for n in ("source.mkv", "out.mp4"))
        write_lossless(source, frames, FPS)
        try:
            anonymise_video(anonymiser, source, output, search_every=every)
        except NoFaceError:
            return len(places)
        result = [frame.image for frame in Video(output).frames()]
    late = zip(frames[FIRST:], result[FIRST:], places, strict=True)
    return sum(_is_left(old, new, place) for old, new, place in late)


def _is_left(old: np.ndarray, new: np.ndarray, place: np.ndarray) -> bool:
    """Whether the middle of a face is as it was."""
    corners = np.array([[60, 90], [117, 90], [117, 165], [60, 165]], np.float64)
    drawn = np.zeros(SIZE, np.uint8)
    there = corners @ place[:, :2].T + place[:, 2]
    cv2.fillConvexPoly(drawn, np.rint(there).astype(np.int32), 1)
    before, after = (image[drawn > 0].astype(float) for image in (old, new))
    return bool(np.abs(after - before).mean() < CHANGED * before.std())


if __name__ == "__main__":
    main()
