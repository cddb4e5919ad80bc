"""Recordings that are cut off or joined, and what else is not in a result: it is said.

Lengths are known from what was written.
"""

import pathlib
import re
from collections import defaultdict

import av
import numpy as np
import pytest
from clips import read_clip, write_clip
from hypothesis import given
from hypothesis import strategies as st

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.video.anonymise import anonymise_video
from anonygan_jax.anonymise.video.source import Video
from anonygan_jax.anonymise.video.timeline import RESTART, Timeline
from anonygan_jax.anonymise.video.transcode import transcode
from anonygan_jax.faces.face import Face

COUNT = 45
RNG = np.random.default_rng(0)
FRAMES = [RNG.integers(0, 255, (64, 96, 3), np.uint8) for _ in range(COUNT)]


def _remuxed(source: pathlib.Path, path: pathlib.Path, **options: str) -> pathlib.Path:
    """The packets of the first picture and sound streams in another container."""
    with av.open(str(source)) as read, av.open(str(path), "w", options=options) as out:
        streams = {s.index: out.add_stream_from_template(s) for s in read.streams}
        for packet in read.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                out.mux(packet)
    return path


def _by_hand(path: pathlib.Path) -> int:
    """The number of frames that a decoder without threads finds."""
    count = 0
    with av.open(str(path)) as read:
        read.streams.video[0].thread_type = "NONE"
        packets = read.demux(read.streams.video[0])
        while True:
            try:
                count += len(next(packets).decode())
            except StopIteration:
                return count
            except av.error.FFmpegError:
                continue


def _transcoded(path: pathlib.Path) -> tuple[str, pathlib.Path]:
    """Notes and file of a result without changes, read as the tool does it."""
    video, output = Video(path), path.with_name("out.mp4")
    list(video.frames())
    with transcode(video, output, True, ()) as (frames, writer):
        for frame in frames:
            writer.frame(frame)
    return writer.note, output


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".flv", ".avi"])
def test_a_file_that_is_cut_off_is_told_and_its_last_frames_are_kept(suffix, tmp_path):
    codec = "mp3" if suffix == ".avi" else "aac"
    path = write_clip(tmp_path / f"a{suffix}", FRAMES, audio_codec=codec)
    if suffix in (".mp4", ".mov"):
        path = _remuxed(path, tmp_path / f"b{suffix}", movflags="faststart")
    video = Video(path)
    assert (len(list(video.frames())), video.num_broken, video.note) == (COUNT, 0, "")
    data = path.read_bytes()
    for share in (0.5, 0.8):
        path.write_bytes(data[: int(share * len(data))])
        count = len(list(video.frames()))
        assert count == _by_hand(path)
        assert 0 < count < COUNT
        told = re.fullmatch(r"cut off: ends at (.*) of (.*) s", video.note)
        assert told, video.note
        end, wanted = map(float, told.groups())
        assert wanted == pytest.approx(1.5, abs=0.11)  # FLV starts late
        assert count / 30 - 0.1 < end < wanted


def test_what_is_cut_off_is_in_the_result(tmp_path):
    whole = write_clip(tmp_path / "a.mkv", FRAMES)
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    output, box = tmp_path / "b.mp4", np.array([9, 9, 40, 40], np.float32)
    known = defaultdict(list, {0: [Face(np.zeros((0, 2), np.float32), box, 1.0)]})
    result = anonymise_video(Anonymiser("pixelate"), path, output, known=known)
    assert len(read_clip(output)[0]) == result.num_frames < COUNT
    assert "cut off: ends at " in result.note


def test_sound_or_an_edit_that_ends_elsewhere_is_no_cut(tmp_path):
    """20 packets of sound are 0.43 s; of the edited pictures the first half is left."""
    for suffix in (".mkv", ".flv", ".mp4", ".ts"):
        for count in (3, COUNT):
            name = tmp_path / f"{count}{suffix}"
            video = Video(write_clip(name, FRAMES[:count], audio_codec="aac"))
            assert len(list(video.frames())) == count
            assert video.note == ""
    edited = tmp_path / "edited.mp4"
    with (
        av.open(str(tmp_path / f"{COUNT}.mp4")) as read,
        av.open(str(edited), "w") as out,
    ):
        stream = out.add_stream_from_template(read.streams.video[0])
        for packet in read.demux(read.streams.video[0]):
            if packet.dts is not None:
                packet.dts -= round(0.5 / packet.time_base)
                packet.pts -= round(0.5 / packet.time_base)
                packet.stream = stream
                out.mux(packet)
    video = Video(edited)
    assert len(list(video.frames())) >= COUNT - 15
    assert video.note == ""


@pytest.mark.parametrize("audio_codec", ["mp2", "aac"])
def test_joined_recordings_go_on_in_picture_and_sound(audio_codec, tmp_path):
    part = tmp_path / "part.ts"
    write_clip(part, FRAMES, audio_codec=audio_codec, num_tones=50)  # 1.07 s
    joined = tmp_path / "joined.ts"
    joined.write_bytes(part.read_bytes() * 3)
    video = Video(joined)
    times = [frame.seconds for frame in video.frames()]
    assert len(times) == 3 * COUNT
    np.testing.assert_allclose(np.diff(times), 1 / 30, atol=1e-3)
    assert video.note == "2 restarts of time stamps"
    _, output = _transcoded(joined)
    np.testing.assert_allclose(np.diff(read_clip(output)[1]), 1 / 30, atol=1e-3)
    with av.open(str(output)) as read:
        heard = np.array([float(frame.time) for frame in read.decode(audio=0)])
    parts = np.searchsorted(heard, [0, 1.4, 2.9, 9])
    assert all(45 <= number <= 52 for number in np.diff(parts)), heard


def test_frames_without_time_stamps_are_a_frame_apart(tmp_path):
    plain = write_clip(tmp_path / "plain.mp4", FRAMES)
    raw = _remuxed(plain, tmp_path / "a.h264")
    times = [frame.seconds for frame in Video(raw).frames()]
    assert len(times) == COUNT
    np.testing.assert_allclose(np.diff(times), np.diff(times)[0], atol=1e-3)
    assert 0.02 < np.diff(times)[0] < 0.05


@given(
    parts=st.lists(st.integers(20, 60), min_size=1, max_size=5),
    start=st.floats(0, 1000),
)
def test_parts_of_any_length_follow_each_other(parts, start):
    timeline, step = Timeline(), 1 / 30
    told = [start + step * n for part in parts for n in range(part)]
    made = [t + timeline.offset(t, step) for t in told]
    np.testing.assert_allclose(np.diff(made), step, atol=1e-6)
    assert len(timeline.offsets) == len(parts) - 1


@given(place=st.integers(20, 58), wrong=st.floats(-9, 0))
def test_one_wrong_time_stamp_shifts_no_other(place, wrong):
    timeline, told = Timeline(), [n / 30 for n in range(60)]
    told[place] = min(wrong, told[place] - RESTART)
    made = [t + timeline.offset(t, 1 / 30) for t in told]
    del made[place], told[place]
    np.testing.assert_allclose(made, told)


def test_pictures_after_the_sound_in_a_file_are_all_decoded(tmp_path):
    plain = write_clip(tmp_path / "plain.mp4", FRAMES, audio_codec="aac")
    path = tmp_path / "a.mkv"
    with av.open(str(plain)) as read, av.open(str(path), "w") as out:
        audio = out.add_stream_from_template(read.streams.audio[0])
        streams = {1: audio, 0: out.add_stream_from_template(read.streams.video[0])}
        for packet in read.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                out.mux(packet)
    video = Video(path)
    assert len(list(video.frames())) == COUNT
    assert (video.num_broken, video.note) == (0, "")


def test_a_second_video_is_named(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as out:
        pictures = [out.add_stream("mpeg4", rate=30) for _ in range(2)]
        for stream in pictures:
            stream.height, stream.width = FRAMES[0].shape[:2]
        pictures[1].metadata["language"] = "deu"
        for number, image in enumerate(FRAMES[:4]):
            for stream in pictures:
                frame = av.VideoFrame.from_ndarray(image, "rgb24")
                frame.pts = number
                out.mux(stream.encode(frame))
        for stream in pictures:
            out.mux(stream.encode(None))
    note, _ = _transcoded(path)
    assert note == "left out: video 2 (deu)"
