"""A picture beside a video is neither taken for the video nor copied."""

import io
import pathlib

import av
import numpy as np
import pytest
from av.stream import Disposition
from clips import write_clip
from PIL import Image

from anonygan_jax.anonymise.errors import VideoError
from anonygan_jax.anonymise.video.source import Video
from anonygan_jax.anonymise.video.transcode import transcode

COUNT = 12
RNG = np.random.default_rng(0)
FRAMES = [RNG.integers(0, 255, (64, 96, 3), np.uint8) for _ in range(COUNT)]


def _transcoded(path: pathlib.Path) -> tuple[str, pathlib.Path]:
    """The writer's note, and a result without changes."""
    output = path.with_name("out.mp4")
    with transcode(Video(path), output, True, ()) as (frames, writer):
        for frame in frames:
            writer.frame(frame)
    return writer.note, output


def _with_cover(path: pathlib.Path, codec: str, is_told: bool) -> pathlib.Path:
    """A video of FRAMES whose first stream is one bright picture."""
    cover = np.full((80, 60, 3), 250, np.uint8)
    with av.open(str(path), "w") as out:
        picture, video = (out.add_stream(name, rate=30) for name in (codec, "libx264"))
        picture.height, picture.width = cover.shape[:2]
        picture.pix_fmt = "rgb24" if codec == "png" else "yuvj420p"
        if is_told:
            picture.disposition = Disposition.attached_pic
        video.height, video.width = FRAMES[0].shape[:2]
        video.pix_fmt = "yuv420p"
        for stream, images in ((picture, [cover]), (video, FRAMES)):
            for number, image in enumerate(images):
                frame = av.VideoFrame.from_ndarray(image, "rgb24")
                frame.pts = number
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("suffix", "codec", "is_told"),
    [
        (".mp4", "png", True),
        (".mp4", "png", False),
        (".mov", "mjpeg", False),
        (".mkv", "mjpeg", False),
        (".avi", "png", False),
    ],
)
def test_a_cover_picture_is_left_out_and_the_video_is_not(
    tmp_path, suffix, codec, is_told
):
    path = _with_cover(tmp_path / f"a{suffix}", codec, is_told)
    with av.open(str(path)) as read:
        assert len(read.streams.video) == 2
    note, output = _transcoded(path)
    assert note == f"left out: {'cover picture' if is_told else 'video 1'}"
    with av.open(str(output)) as read:
        (stream,) = read.streams
        assert (stream.height, stream.width) == FRAMES[0].shape[:2]
        assert sum(1 for _ in read.decode(stream)) == COUNT


def test_an_attached_picture_is_left_out(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as out:
        file = io.BytesIO()
        Image.new("RGB", (60, 80), "white").save(file, "PNG")
        out.add_attachment("cover.png", "image/png", file.getvalue())
        with av.open(str(write_clip(tmp_path / "plain.mp4", FRAMES))) as read:
            video = out.add_stream_from_template(read.streams.video[0])
            for packet in read.demux():
                if packet.dts is not None:
                    packet.stream = video
                    out.mux(packet)
    note, output = _transcoded(path)
    assert note == "left out: cover picture"
    with av.open(str(output)) as read:
        assert [stream.type for stream in read.streams] == ["video"]


def test_sound_with_a_cover_picture_alone_is_no_video(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as out:
        picture = out.add_stream("png", rate=30)
        picture.height, picture.width, picture.pix_fmt = 80, 60, "rgb24"
        picture.disposition = Disposition.attached_pic
        sound = out.add_stream("aac", rate=48000, layout="mono")
        image = np.full((80, 60, 3), 250, np.uint8)
        out.mux(picture.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        silence = np.zeros((1, 4096), np.float32)
        tone = av.AudioFrame.from_ndarray(silence, "fltp", "mono")
        tone.sample_rate = 48000
        out.mux(sound.encode(tone))
        for stream in (picture, sound):
            out.mux(stream.encode(None))
    with av.open(str(path)) as read:
        assert [stream.type for stream in read.streams] == ["audio", "video"]
    with pytest.raises(VideoError, match=r"a\.mp4: no frames in it"):
        list(Video(path).frames())
