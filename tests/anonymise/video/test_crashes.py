"""Whatever fails in a video, the process goes on: no container is closed while read."""

import fractions
import pathlib
import subprocess
import sys

import av
import numpy as np
import pytest
from clips import write_clip

TRIES = 20
PROGRAM = f"""
import errno, pathlib, resource, signal, sys
from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.video import transcode
from anonygan_jax.anonymise.video.anonymise import anonymise_video
from anonygan_jax.anonymise.video.tracking import Tracker
from anonygan_jax.anonymise.regions import Region

fault, clip = sys.argv[1], pathlib.Path(sys.argv[2])
frame, step = transcode.Writer.frame, Tracker.step

def failing(self, image, pts):
    frame(self, image, pts)
    if fault == "mux":
        raise OSError(errno.ENOSPC, "No space left on device")
    if fault == "interrupt":
        signal.raise_signal(signal.SIGINT)

def stopped(self, number, *rest):
    if fault == "interrupted search" and number == 2:
        signal.raise_signal(signal.SIGINT)
    return step(self, number, *rest)

transcode.Writer.frame, Tracker.step = failing, stopped
if fault == "full disk":
    limits = (20_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
anonymiser = Anonymiser("blur", regions=(Region.parse("hide:0,0,9,9"),))
ends = set()
for number in range({TRIES}):
    try:
        anonymise_video(anonymiser, clip, clip.with_name("out.mp4"), search_every=1000)
        ends.add("written")
    except (OSError, KeyboardInterrupt) as error:
        ends.add("OSError" if isinstance(error, OSError) else "KeyboardInterrupt")
print(*ends)
"""


def _clip(folder: pathlib.Path, name: str) -> pathlib.Path:
    """A video whose decoding takes longer than its writing fails."""
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, (240, 320, 3), np.uint8) for _ in range(40)]
    path = folder / name
    if name != "pcm.mkv":
        codec = {"mp3.avi": "mp3", "clip.mp4": "aac"}[name]
        return write_clip(path, frames, audio_codec=codec)
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=30)
        video.height, video.width, video.pix_fmt = 240, 320, "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=192_000, layout="mono")
        for number, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, "rgb24")
            frame.pts = number
            container.mux(video.encode(frame))
            tone = av.AudioFrame.from_ndarray(
                np.zeros((1, 6400), np.int16), "s16", "mono"
            )
            tone.sample_rate, tone.pts = 192_000, 6400 * number
            tone.time_base = fractions.Fraction(1, 192_000)
            container.mux(sound.encode(tone))
        container.mux(video.encode(None))
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "name", "end"),
    [
        ("mux", "clip.mp4", "OSError"),
        ("full disk", "clip.mp4", "OSError"),
        ("interrupt", "clip.mp4", "KeyboardInterrupt"),
        ("interrupted search", "clip.mp4", "KeyboardInterrupt"),
        ("sound", "mp3.avi", "written"),
        ("sound", "pcm.mkv", "written"),
    ],
)
def test_no_fault_ends_the_process(fault, name, end, tmp_path):
    clip = _clip(tmp_path, name)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, fault, clip],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    assert done.stdout.split() == [end]
    left = {path.name for path in tmp_path.iterdir()} - {clip.name}
    assert left == ({"out.mp4"} if end == "written" else set())
