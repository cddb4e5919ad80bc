"""Videos anonymised by this package and by deface, side by side.

    pip install '.[evaluation,peers]'
    python -m benchmarks.anonymise_vs_deface CLIP... --runs 3
    python -m benchmarks.anonymise_vs_deface --compose clip720p.mp4 \\
        --portraits london/neutral --backgrounds scenes

Both run in this process, in turn, after a first run that is not counted (it loads
models and compiles programs). deface blurs, its default.

Frames per second are medians with
minimum and maximum, of the written frames; ratios are of the medians. dlib (photo
upsampled once) and MTCNN detect faces in every fifth frame. A face of either is missed
where its middle differs from the source's by less than a quarter of its contrast.
MTCNN's false positives (hair, hands) count as faces; a method that changes more than
the face changes some of them, too. deface rescales frames to multiples of 16.
"""

import pathlib
import random
import statistics
import tempfile
import time
from collections.abc import Callable

import av
import click
import cv2
import numpy as np

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.video.anonymise import anonymise_video
from anonygan_jax.anonymise.video.source import Video
from anonygan_jax.detection.boxes import centres_overlap
from anonygan_jax.detection.dlib import DlibHog
from anonygan_jax.detection.mtcnn import Mtcnn
from anonygan_jax.io.inputs import find_photos
from anonygan_jax.io.photos import read_photo

EVERY = 5  # frames between two in which faces are detected
CHANGED = 0.25  # mean difference over the standard deviation of a face's pixels
SIZE = (720, 1280)
NUM_FRAMES, NUM_PEOPLE = 240, 4

Tool = Callable[[pathlib.Path, pathlib.Path], None]


@click.command()
@click.argument("clips", nargs=-1, type=click.Path(path_type=pathlib.Path))
@click.option("--runs", default=3, show_default=True)
@click.option("--compose", type=click.Path(path_type=pathlib.Path))
@click.option("--portraits")
@click.option("--backgrounds")
def main(
    clips: tuple[pathlib.Path, ...],
    runs: int,
    compose: pathlib.Path | None,
    portraits: str,
    backgrounds: str,
) -> None:
    """Prints a table."""
    if compose:
        compose_clip(compose, portraits, backgrounds)
        return
    tools = {"deface, blur": deface()}
    tools |= {method: ours(method) for method in ("blur", "warp", "auto")}
    click.echo(
        "| clip | tool | frames/s | over deface | faces missed |\n|---|---|---|---|---|"
    )
    for clip in clips:
        faces = faces_of(clip)
        speeds: dict[str, list[float]] = {name: [] for name in tools}
        missed = {}
        with tempfile.TemporaryDirectory() as folder:
            result = pathlib.Path(folder) / "result.mp4"
            for run in range(runs + 1):
                for name, tool in tools.items():
                    start = time.perf_counter()
                    tool(clip, result)
                    seconds = time.perf_counter() - start
                    if run:
                        count = sum(1 for _ in Video(result).frames())
                        speeds[name].append(count / seconds)
                    else:
                        missed[name] = num_missed(clip, result, faces)
        peer = statistics.median(speeds["deface, blur"])
        total = sum(len(boxes) for boxes in faces.values())
        for name, values in speeds.items():
            middle = statistics.median(values)
            click.echo(
                f"| {clip.name} | {name} | {middle:.1f} [{min(values):.1f}, "
                f"{max(values):.1f}] | {middle / peer:.2f} | "
                f"{missed[name]} of {total} |"
            )


def ours(method: str) -> Tool:
    """Returns a method of this package as a function of two files."""
    anonymiser = Anonymiser(method)
    return lambda clip, result: void(anonymise_video(anonymiser, clip, result))


def deface() -> Tool:
    """Returns deface with its defaults as a function of two files."""
    from deface.centerface import CenterFace
    from deface.deface import video_detect

    detector = CenterFace(in_shape=None, backend="auto")

    def run(clip: pathlib.Path, result: pathlib.Path) -> None:
        video_detect(
            ipath=str(clip),
            opath=str(result),
            centerface=detector,
            threshold=0.2,
            enable_preview=False,
            cam=False,
            nested=False,
            replacewith="blur",
            mask_scale=1.3,
            ellipse=True,
            draw_scores=False,
            ffmpeg_config={"codec": "libx264"},
            keep_audio=False,
        )

    return run


def void(_: object) -> None:
    """Discards a value."""


def faces_of(clip: pathlib.Path) -> dict[int, list[np.ndarray]]:
    """Returns boxes of faces by frame, float [4] each."""
    detectors = (DlibHog(), Mtcnn())
    faces = {}
    for number, frame in enumerate(Video(clip).frames()):
        if number % EVERY:
            continue
        boxes: list[np.ndarray] = []
        for detector in detectors:
            for box in detector.boxes(frame.image)[:, :4]:
                if not any(centres_overlap(box, other) for other in boxes):
                    boxes.append(box)
        faces[number] = boxes
    return faces


def num_missed(
    clip: pathlib.Path, result: pathlib.Path, faces: dict[int, list[np.ndarray]]
) -> int:
    """Returns the number of faces that are unchanged in the result."""
    made = Video(result).frames()
    new, missed = next(made), 0
    for number, old in enumerate(Video(clip).frames()):
        # deface writes frames at a constant rate, some of them twice.
        while new.seconds < old.seconds - 0.5 / 30:
            following = next(made, None)
            if following is None:
                break
            new = following
        size = old.image.shape[1::-1]
        image = cv2.resize(new.image, size).astype(np.float32)
        for left, top, right, bottom in faces.get(number, []):
            across, down = (right - left) / 4, (bottom - top) / 4
            rows = slice(max(0, round(top + down)), max(0, round(bottom - down)))
            columns = slice(max(0, round(left + across)), max(0, round(right - across)))
            before, after = (
                x[rows, columns].astype(np.float32) for x in (old.image, image)
            )
            if before.size:
                missed += np.abs(after - before).mean() < CHANGED * before.std()
    return int(missed)


def compose_clip(output: pathlib.Path, portraits: str, backgrounds: str) -> None:
    """Writes a 720p clip of portraits that move in front of a photo."""
    rng = random.Random(0)
    people = [
        read_photo(p.path) for p in rng.sample(find_photos([portraits]), NUM_PEOPLE)
    ]
    walls = [p.path for p in find_photos([backgrounds]) if p.name.startswith("noface")]
    wall = cv2.resize(read_photo(walls[0]), SIZE[::-1])
    with av.open(str(output), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv420p"
        for number in range(NUM_FRAMES):
            frame = wall.copy()
            for place, person in enumerate(people):
                side = 180 + 60 * place + round(20 * np.sin(number / 30 + place))
                small = cv2.resize(person, (side, side), interpolation=cv2.INTER_AREA)
                left = round(40 + 290 * place + 30 * np.sin(number / 20 + 2 * place))
                top = round(100 + 60 * place + 30 * np.cos(number / 25 + place))
                part = frame[top : top + side, left : left + side]
                part[:] = small[: part.shape[0], : part.shape[1]]
            picture = av.VideoFrame.from_ndarray(frame.astype(np.uint8), "rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    main()
