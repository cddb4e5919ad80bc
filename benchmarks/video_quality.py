"""Temporal stability of anonymised videos: landmark jitter, flicker of the face.

    python -m benchmarks.video_quality CLIP --methods blur,warp

Jitter: mean second difference in time of the 68 landmarks over the face's width, of
each landmarker in every frame, and after tracking and smoothing. Flicker: mean second
difference in time of the luminance (0 to 255) of the face, cropped by the smoothed
landmarks; and its ratio to that of the source, re-encoded the same way. Both are means
over tracks of 20 frames or more, weighted by frames.
"""

import pathlib
import tempfile

import click
import cv2
import numpy as np

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.video.analysis import Analysis
from anonygan_jax.anonymise.video.anonymise import anonymise_video
from anonygan_jax.anonymise.video.source import Video
from anonygan_jax.anonymise.video.transcode import transcode
from anonygan_jax.detection import LANDMARKERS, make_detector
from anonygan_jax.faces import alignment

MIN_FRAMES = 20
SIZE = (64, 52)

Tracks = dict[int, dict[int, np.ndarray]]  # points by track and frame


@click.command()
@click.argument("clip", type=click.Path(path_type=pathlib.Path, exists=True))
@click.option("--methods", default="blur,warp")
def main(clip: pathlib.Path, methods: str) -> None:
    """Prints both tables."""
    anonymiser = Anonymiser("blur")
    raw, smoothed = (tracks_of(anonymiser, clip, smooth) for smooth in (False, True))
    images = [frame.image for frame in Video(clip).frames()]
    click.echo("| landmarks | jitter |\n|---|---|")
    for name in LANDMARKERS:
        click.echo(f"| {name}, each frame alone | {alone(name, images, raw):.4f} |")
    for name, tracks in (("followed", raw), ("followed and smoothed", smoothed)):
        click.echo(f"| mesh, {name} | {jitter_of(tracks):.4f} |")
    distance = np.mean(
        [
            np.linalg.norm(raw[t][n] - smoothed[t][n], axis=-1).mean()
            / width_of(raw[t])
            for t in raw
            for n in raw[t]
        ]
    )
    click.echo(f"\nsmoothing moves points by {distance:.4f} of the face's width\n")
    with tempfile.TemporaryDirectory() as folder:
        result = pathlib.Path(folder) / "result.mp4"
        copy_clip(clip, result)
        base = flicker(result, smoothed)
        click.echo("| method | flicker | over the source's |\n|---|---|---|")
        click.echo(f"| source, re-encoded | {base:.2f} | 1.00 |")
        for method in methods.split(","):
            anonymise_video(Anonymiser(method), clip, result)
            value = flicker(result, smoothed)
            click.echo(f"| {method} | {value:.2f} | {value / base:.2f} |")


class Unsmoothed(Analysis):
    """Leaves landmarks as they were found."""

    def run(self, video: Video) -> None:
        """Analyses all frames of a video."""
        self.store.smooth = lambda: None  # type: ignore[method-assign]
        super().run(video)


def tracks_of(anonymiser: Anonymiser, clip: pathlib.Path, smooth: bool) -> Tracks:
    """Points of tracks that were seen often enough."""
    analysis = (Analysis if smooth else Unsmoothed)(anonymiser)
    analysis.run(Video(clip))
    tracks: Tracks = {}
    for number, rows in analysis.store.by_frame():
        for row in rows:
            if row["has_points"] and row["state"] == 0:
                tracks.setdefault(int(row["track"]), {})[number] = np.array(
                    row["points"]
                )
    return {t: shapes for t, shapes in tracks.items() if len(shapes) >= MIN_FRAMES}


def width_of(shapes: dict[int, np.ndarray]) -> float:
    """A track's face width."""
    return float(np.median([np.ptp(shape[:, 0]) for shape in shapes.values()]))


def jitter(points: np.ndarray, scale: float) -> float:
    """Mean second difference in time of [T, 68, 2], in shares of the face's width."""
    bends = points[2:] - 2 * points[1:-1] + points[:-2]
    return float(np.linalg.norm(bends, axis=-1).mean() / scale)


def jitter_of(tracks: Tracks) -> float:
    """Mean over tracks, weighted by frames."""
    values, weights = [], []
    for shapes in tracks.values():
        values.append(jitter(np.stack(list(shapes.values())), width_of(shapes)))
        weights.append(len(shapes))
    return float(np.average(values, weights=weights))


def alone(name: str, images: list[np.ndarray], tracks: Tracks) -> float:
    """Jitter of a landmarker that sees each frame for itself."""
    find = make_detector(landmarks=name)
    found: Tracks = {}
    for track, shapes in tracks.items():
        for number, shape in shapes.items():
            box = np.concatenate([shape.min(0), shape.max(0)])
            points = find.landmarker.points(images[number], box)
            if points is not None:
                found.setdefault(track, {})[number] = points
    return jitter_of({t: s for t, s in found.items() if len(s) >= MIN_FRAMES})


def copy_clip(clip: pathlib.Path, output: pathlib.Path) -> None:
    """Writes a clip's frames again, as they are."""
    with transcode(Video(clip), output, False, ()) as (frames, writer):
        for frame in frames:
            writer.frame(frame)


def flicker(clip: pathlib.Path, tracks: Tracks) -> float:
    """Mean second difference of the luminance inside faces."""
    images = [frame.image for frame in Video(clip).frames()]
    values, weights = [], []
    for shapes in tracks.values():
        faces = []
        for number, shape in shapes.items():
            matrix = alignment.window_transform(alignment.CELEBA_SIZE, SIZE, 2.0)
            matrix = alignment.compose(
                matrix, alignment.celeba_transform(shape, alignment.CELEBA_SIZE)
            )
            face = alignment.crop_photo(images[number], matrix, SIZE)
            faces.append(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32))
        stack = np.stack(faces)
        bends = stack[2:] - 2 * stack[1:-1] + stack[:-2]
        values.append(float(np.abs(bends).mean()))
        weights.append(len(faces))
    return float(np.average(values, weights=weights))


if __name__ == "__main__":
    main()
