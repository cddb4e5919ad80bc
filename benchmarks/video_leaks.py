"""Frames of anonymised videos that still show a source's face, as dlib sees it.

    python -m benchmarks.video_leaks CLIP... --methods blackout,blur,warp,auto

Each clip is made harder in many ways: at 1 to 30 frames a second, 2 to 8 times as fast,
blurred by motion, with a cut after each five frames, and with faces that enter and
leave the picture. dlib, which the tool does not use, finds faces in each frame of the
source, doubled. A face is left where an eye or the mouth is as it was: its gradients
correlate with the source's by more than 0.7, and its pixels differ by less than a fifth
of their contrast. Frames with such a face are counted.

Each method hides the faces of a variant in a run of its own. Networks and dlib look at
each image once: what they find is remembered for the other methods and variants.
"""

import functools
import pathlib
import tempfile
from collections.abc import Callable, Iterator

import av
import click
import cv2
import numpy as np

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.errors import NoFaceError
from anonygan_jax.anonymise.video.anonymise import anonymise_video
from anonygan_jax.anonymise.video.source import Video
from anonygan_jax.detection import DEFAULT_DETECTORS, DETECTORS, LANDMARKERS, MESH
from anonygan_jax.detection.detector import FaceDetector
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.detection.searches import Detector
from anonygan_jax.faces.face import LEFT_EYE, RIGHT_EYE

MOUTH = tuple(range(48, 68))
# Correlation of the brightness gradients of an eye or a mouth before and after, and the
# mean difference over the contrast. Of 126 parts of a clip that was only encoded again
# they are 0.83 to 1 and 0.05 to 0.16; after blur, pixelate and warp -0.7 to 0.63
# and 0.2 to 2.
ALIKE, CHANGED = 0.7, 0.2
RATES = (1, 2, 3, 5, 8, 10, 15, 30)  # frames a second
SPEEDS = (2, 4, 8)
CUT_EVERY, BLURRED, SWEEP = 5, 4, 150  # frames; frames averaged; frames of one sweep

Frames = list[np.ndarray]
# Frames and frames a second, of a clip's frames and frames a second.
Variant = Callable[[Frames, float], tuple[Frames, float]]


def _at_rate(rate: float) -> Variant:
    """A variant with fewer frames, each shown longer."""
    return lambda frames, fps: (frames[:: max(1, round(fps / rate))], rate)


def _at_speed(speed: int) -> Variant:
    """A variant in which everything moves faster."""
    return lambda frames, fps: (frames[::speed], fps)


def _blurred(frames: Frames, fps: float) -> tuple[Frames, float]:
    """Each four frames averaged."""
    groups = [frames[n : n + BLURRED] for n in range(0, len(frames), BLURRED)]
    return [np.mean(np.stack(g), 0).astype(np.uint8) for g in groups], fps / BLURRED


def _cut(frames: Frames, fps: float) -> tuple[Frames, float]:
    """Stretches of five frames in another order."""
    starts = np.arange(0, len(frames), CUT_EVERY)
    np.random.default_rng(0).shuffle(starts)
    return [f for s in starts for f in frames[s : s + CUT_EVERY]], fps


def _swept(frames: Frames, fps: float) -> tuple[Frames, float]:
    """The picture moves out of the frame to both sides, and back."""
    made = []
    for number, frame in enumerate(frames):
        across = round(0.9 * frame.shape[1] * np.sin(2 * np.pi * number / SWEEP))
        moved = np.array([[1, 0, across], [0, 1, 0]], np.float32)
        made.append(cv2.warpAffine(frame, moved, frame.shape[1::-1]))
    return made, fps


VARIANTS: dict[str, Variant] = {
    **{f"{rate} frames/s": _at_rate(rate) for rate in RATES},
    **{f"{speed} times as fast": _at_speed(speed) for speed in SPEEDS},
    "blurred by motion": _blurred,
    "a cut each 5 frames": _cut,
    "entering and leaving": _swept,
}


@click.command()
@click.argument("clips", nargs=-1, type=click.Path(path_type=pathlib.Path))
@click.option("--methods", default="blackout,blur,pixelate,warp,auto")
@click.option("--only", default="", help="Part of the names of variants.")
@click.option("--save", type=click.Path(path_type=pathlib.Path), help="Folder.")
def main(
    clips: tuple[pathlib.Path, ...], methods: str, only: str, save: pathlib.Path | None
) -> None:
    """Prints a table; saves frames with a face that is left."""
    detectors = [Remembered(DETECTORS[name]()) for name in DEFAULT_DETECTORS]
    detector = FaceDetector(detectors, LANDMARKERS[MESH]())
    anonymisers = {
        name: Anonymiser(name, detector=detector) for name in methods.split(",")
    }
    click.echo(f"| clip | variant | frames with a face | {' | '.join(anonymisers)} |")
    click.echo("|---|---|---|" + "---|" * len(anonymisers))
    judge = Memory(dlib_landmarks())
    for clip in clips:
        frames = [frame.image for frame in Video(clip).frames()]
        for name, variant in VARIANTS.items():
            if only not in name:
                continue
            shown, fps = variant(frames, frame_rate(clip))
            faces = [judge(image) for image in shown]
            left = []
            for method, result in results(shown, fps, anonymisers):
                leaks = [
                    n
                    for n, points in enumerate(faces)
                    if any(is_left(shown[n], result[n], p) for p in points)
                ]
                left.append(str(len(leaks)))
                if save:
                    _save(save, f"{clip.stem} {name} {method}", leaks, shown, result)
            seen = sum(1 for points in faces if len(points))
            click.echo(f"| {clip.name} | {name} | {seen} | {' | '.join(left)} |")


class Memory:
    """What is found in an image, found once."""

    def __init__(self, find: Callable[[np.ndarray], np.ndarray]) -> None:
        self._find = find
        self._known: dict[tuple[tuple[int, ...], int], np.ndarray] = {}

    def __call__(self, image_u8: np.ndarray) -> np.ndarray:
        """Returns what is found in uint8 [H, W, 3]."""
        key = image_u8.shape, hash(image_u8.tobytes())
        if key not in self._known:
            self._known[key] = self._find(image_u8)
        return self._known[key].copy()


class Remembered:
    """A detector that looks at each image once."""

    def __init__(self, detector: Detector) -> None:
        self._all = Memory(detector.boxes)
        self._fine = Memory(functools.partial(detector.boxes, fine_only=True))

    def boxes(self, image_u8: np.ndarray, fine_only: bool = False) -> np.ndarray:
        """Returns boxes; see `Detector`."""
        return (self._fine if fine_only else self._all)(image_u8)


def dlib_landmarks() -> Callable[[np.ndarray], np.ndarray]:
    """Returns what finds dlib's landmarks, [N, 68, 2], in a doubled image."""
    dlib = DlibLandmarks()

    def find(image_u8: np.ndarray) -> np.ndarray:
        found = [face.points_xy for face in dlib.detect(image_u8, num_upsamples=1)]
        return np.array(found, np.float32).reshape(-1, 68, 2)

    return find


def frame_rate(clip: pathlib.Path) -> float:
    """Returns a clip's frames a second."""
    with av.open(str(clip)) as container:
        return float(container.streams.video[0].average_rate or 30)


def results(
    frames: Frames, fps: float, anonymisers: dict[str, Anonymiser]
) -> Iterator[tuple[str, Frames]]:
    """Yields each method's name, and the frames of a video after it was anonymised."""
    with tempfile.TemporaryDirectory() as folder:
        source, output = (pathlib.Path(folder) / n for n in ("source.mkv", "out.mp4"))
        write_lossless(source, frames, fps)
        for name, anonymiser in anonymisers.items():
            try:
                anonymise_video(anonymiser, source, output)
            except NoFaceError:
                # Nothing is written: every face that dlib sees is counted.
                yield name, frames
            else:
                yield name, [frame.image for frame in Video(output).frames()]


def write_lossless(path: pathlib.Path, frames: Frames, fps: float) -> None:
    """Writes a video of frames."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=round(fps))
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "bgr0"
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode(None))


def is_left(before: np.ndarray, after: np.ndarray, points: np.ndarray) -> bool:
    """Returns whether an eye or the mouth of a face is as it was."""
    gradients = [_gradients(image) for image in (before, after)]
    for part in (LEFT_EYE, RIGHT_EYE, MOUTH):
        hull = cv2.convexHull(points[list(part)].round().astype(np.int32))
        drawn = np.zeros(before.shape[:2], np.uint8)
        cv2.fillConvexPoly(drawn, hull, 1)
        mask = cv2.dilate(drawn, np.ones((3, 3), np.uint8)) > 0
        old, new = (x[mask].ravel() for x in gradients)
        if min(old.std(), new.std(), len(old)) < 1e-3:
            continue
        pixels, made = (x[mask].astype(np.float32) for x in (before, after))
        is_changed = np.abs(made - pixels).mean() >= CHANGED * pixels.std()
        if not is_changed and np.corrcoef(old, new)[0, 1] > ALIKE:
            return True
    return False


def _gradients(image: np.ndarray) -> np.ndarray:
    """Differences of the brightness across and down, [H, W, 2]."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.stack([cv2.Sobel(grey, -1, *axes) for axes in ((1, 0), (0, 1))], -1)


def _save(
    folder: pathlib.Path, name: str, leaks: list[int], old: Frames, new: Frames
) -> None:
    """Writes source and result of frames with a face that is left, side by side."""
    folder.mkdir(parents=True, exist_ok=True)
    for n in leaks:
        pair = np.hstack([old[n], new[n]])
        path = folder / f"{name} {n}.jpg".replace("/", " per ")
        cv2.imwrite(str(path), pair[..., ::-1])


if __name__ == "__main__":
    main()
