"""Which files are opened as videos, and what they may make the decoder do."""

import os
import pathlib

import av
import numpy as np
import pytest
from clips import read_clip, write_clip

from anonygan_jax.anonymise.errors import VideoError
from anonygan_jax.anonymise.video import container, transcode
from anonygan_jax.anonymise.video.source import Video

FRAMES = [np.full((64, 96, 3), 40 * n, np.uint8) for n in range(4)]


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile other.ts\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n",
        "v=0\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    ],
)
@pytest.mark.parametrize("name", ["a.mp4", "a.m3u8", "a.ts"])
def test_no_file_opens_another_or_an_address(text, name, tmp_path):
    write_clip(tmp_path / "other.ts", FRAMES)
    (tmp_path / name).write_text(text)
    with pytest.raises(VideoError, match=rf"{name}: cannot be decoded"):
        list(Video(tmp_path / name).frames())


@pytest.mark.parametrize(
    "suffix", [".mp4", ".mkv", ".avi", ".mov", ".mpg", ".ts", ".flv"]
)
def test_the_usual_containers_are_opened(suffix, tmp_path):
    path = write_clip(tmp_path / f"a{suffix}", FRAMES)
    assert len(list(Video(path).frames())) == len(FRAMES)


def test_a_name_is_no_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "a.mp4", FRAMES)
    path = pathlib.Path("concat:b.mp4")
    path.write_bytes((tmp_path / "a.mp4").read_bytes())
    output = pathlib.Path("http:") / "c.mp4"
    with transcode.transcode(Video(path), output, True, ()) as (frames, writer):
        for frame in frames:
            writer.frame(frame)
    assert len(read_clip(tmp_path / "http:" / "c.mp4")[0]) == len(FRAMES)


def test_frames_of_any_size_cannot_be_asked_for(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "a.mp4", FRAMES)
    monkeypatch.setattr(container, "MAX_PIXELS", 96 * 64 - 1)
    with pytest.raises(VideoError, match=r"a\.mp4: 96x64 pixels, more than the limit"):
        list(Video(path).frames())
    monkeypatch.setattr(container, "check_size", lambda *_: None)  # of the header
    with pytest.raises(VideoError, match="96x64 pixels"):
        list(Video(path).frames())


def test_an_encoder_that_refuses_is_told_from_a_full_disk(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "a.mp4", FRAMES)

    def fails(error):
        with transcode.transcode(Video(path), tmp_path / "b.mp4", True, ()):
            raise error

    with pytest.raises(VideoError, match=r"a\.mp4: cannot be encoded \(Invalid"):
        fails(av.error.ArgumentError(22, "Invalid argument"))
    with pytest.raises(OSError, match="No space left"):
        fails(av.error.OSError(28, "No space left on device"))
    assert not (tmp_path / "b.mp4").exists()


@pytest.mark.parametrize(
    "name",
    [
        *("-a.mp4", "%d.mp4", "a:b.mp4", "new\nline", "\U0001f600 '\".avi", " .mkv"),
        *("vob.jpg", "dots..", "a" * 255, os.fsdecode(b"\xff.mp4"), "file:a.png"),
    ],
    ids=ascii,
)
def test_names_do_not_mislead_ffmpeg(name, tmp_path):
    clip = _mpeg(tmp_path / "of any name.mpg")
    with container.opened(clip.rename(tmp_path / name)) as video:
        assert video.format.name == "mpeg"
        assert sum(1 for _ in video.decode(video=0)) == 5


def _mpeg(path: pathlib.Path) -> pathlib.Path:
    """A stream that FFmpeg takes for pictures if its name ends in ".jpg"."""
    with av.open(f"{path}", "w", format="vob") as target:
        video = target.add_stream("mpeg2video", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            image = np.zeros((48, 64, 3), np.uint8)
            target.mux(video.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        target.mux(video.encode(None))
    return path
