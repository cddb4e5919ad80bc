"""Detectors and landmarkers compared: detected faces, time, landmark error.

    taskset -c 0 python -m benchmarks.detection_quality --count 100 \\
        --set LFW=lfw/images --set YTF=ytf/images:ytf/keypoints.csv \\
        --set scenes=scenes --faces scenes=2007_007763.jpg:7,2008_001322.jpg:3

A set is NAME=FOLDER, or NAME=FOLDER:TABLE with a table of landmarks (a row for each
photo: its name, then x0, y0, ...). In a set whose faces were counted by eye (--faces),
a photo that is not named shows none. In other sets each photo is assumed to show one.
Landmarks are compared where the first detector detects the face, in units of the
interocular distance. One thread each; all in one process, in turn.
"""

import csv
import pathlib
import random
import time
from collections.abc import Callable
from typing import Any

import click
import cv2
import numpy as np

from anonygan_jax.detection import DETECTORS, LANDMARKERS
from anonygan_jax.evaluation.metrics import estimates
from anonygan_jax.faces.face import OUTER_EYE_CORNERS
from anonygan_jax.io.inputs import find_photos
from anonygan_jax.io.kinds import PHOTO
from anonygan_jax.io.photos import read_photo

Truth = dict[str, np.ndarray]


@click.command()
@click.option("--set", "sets", multiple=True, required=True)
@click.option("--faces", "counts", multiple=True)
@click.option("--count", default=100, help="Photos of each set, at most.")
@click.option("--detector", "names", multiple=True, default=tuple(DETECTORS))
def main(
    sets: tuple[str, ...], counts: tuple[str, ...], count: int, names: tuple[str, ...]
) -> None:
    """Prints two tables."""
    cv2.setNumThreads(1)
    counted = {
        name: parse_counts(text) for name, _, text in (c.partition("=") for c in counts)
    }
    chosen = {}
    for text in sets:
        name, _, place = text.partition("=")
        folder, _, table = place.partition(":")
        files = [p for p in find_photos([folder]) if p.kind == PHOTO]
        random.Random(0).shuffle(files)
        photos = {file.name: read_photo(file.path) for file in files[:count]}
        chosen[name] = (photos, _points(table) if table else {})
    click.echo(
        "| detector | set | faces found | false | ms a photo |\n|---|---|---|---|---|"
    )
    boxes: dict[str, dict[str, np.ndarray]] = {}
    for detector in names:
        detect = DETECTORS[detector]().boxes
        for name, (photos, _) in chosen.items():
            found, ms = _timed(detect, [(photo,) for photo in photos.values()])
            boxes[name] = boxes.get(name) or dict(zip(photos, found, strict=True))
            click.echo(_found_line(detector, name, found, list(photos), counted, ms))
    click.echo(
        "\n| landmarks | set | faces | ms | to the set's points |\n"
        "|---|---|---|---|---|"
    )
    for landmarks, make_points in LANDMARKERS.items():
        points_of = make_points().points
        for name, (photos, truth) in chosen.items():
            faces = {n: b[0, :4] for n, b in boxes[name].items() if len(b)}
            shapes, ms = _timed(points_of, [(photos[n], faces[n]) for n in faces])
            click.echo(_points_line(landmarks, name, faces, shapes, truth, ms))


def _timed(
    function: Callable[..., Any], arguments: list[Any]
) -> tuple[list[Any], float]:
    """Results, and the median milliseconds of a call."""
    function(*arguments[0])
    results, times = [], []
    for values in arguments:
        start = time.perf_counter()
        results.append(function(*values))
        times.append(time.perf_counter() - start)
    return results, 1000 * float(np.median(times))


def _found_line(
    detector: str,
    name: str,
    found: list[np.ndarray],
    files: list[str],
    counted: dict[str, dict[str, int]],
    ms: float,
) -> str:
    """A row of the first table."""
    there = [counted[name].get(f, 0) if name in counted else 1 for f in files]
    hits = [min(len(b), n) for b, n in zip(found, there, strict=True)]
    extra = sum(max(0, len(b) - n) for b, n in zip(found, there, strict=True))
    false = str(extra) if name in counted else ""
    flags = np.arange(sum(there)) < sum(hits)
    share = estimates.share(flags)
    return (
        f"| {detector} | {name} | {sum(hits)} of {sum(there)} [{share.low:.1%}, "
        f"{share.high:.1%}] | {false} | {ms:.1f} |"
    )


def _points_line(
    landmarks: str,
    name: str,
    faces: dict[str, np.ndarray],
    shapes: list[np.ndarray | None],
    truth: Truth,
    ms: float,
) -> str:
    """A row of the second table."""
    apart = []
    for file, shape in zip(faces, shapes, strict=True):
        if shape is not None and file in truth:
            left, right = (truth[file][corner] for corner in OUTER_EYE_CORNERS)
            distance = np.linalg.norm(shape - truth[file], axis=-1).mean()
            apart.append(distance / np.linalg.norm(right - left))
    found = sum(shape is not None for shape in shapes)
    middle = ""
    if apart:
        middle = f"{np.median(apart):.4f}, 90% below {np.quantile(apart, 0.9):.4f}"
    return f"| {landmarks} | {name} | {found} of {len(shapes)} | {ms:.1f} | {middle} |"


def parse_counts(text: str) -> dict[str, int]:
    """Returns faces by photo of "a.jpg:7,b.jpg:2"."""
    parts = (part.split(":") for part in text.split(",") if part)
    return {name: int(number) for name, number in parts}


def _points(table: str) -> Truth:
    """Points by photo."""
    with pathlib.Path(table).open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    return {
        row[0]: np.array(row[1:137], float).reshape(68, 2) for row in rows if row[136]
    }


if __name__ == "__main__":
    main()
