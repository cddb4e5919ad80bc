"""Sound stays in time with the pictures, however long, however its time is told."""

import fractions
import pathlib
import types

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordings import Sound, clicks_in, result_of, write_recording

from anonygan_jax.anonymise.video.side_track import _sound_in_time
from anonygan_jax.anonymise.video.sound_frames import even
from anonygan_jax.anonymise.video.timeline import Timeline

HOUR = 3600
FRAME = 0.04  # seconds
MINUTE = 60


def _long(
    path: pathlib.Path, codec: str, rate: int, seconds: int, size: int
) -> pathlib.Path:
    """Two pictures a second, and sound of one packet that is repeated.

    Only the last packet differs: it has a click.

    Args:
      size: samples in a packet.
    """
    with av.open(str(path), "w") as out:
        video = out.add_stream("mpeg4", rate=2)
        video.width, video.height, video.pix_fmt = 16, 16, "yuv420p"
        sound = out.add_stream(codec, rate=rate, layout="mono")
        silent, click = (_packet(codec, rate, size, loud) for loud in (0.0, 0.9))
        image = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")
        count, unit = seconds * rate // size, fractions.Fraction(1, rate)
        written = 0
        for number in range(2 * seconds):
            image.pts, image.time_base = number, fractions.Fraction(1, 2)
            out.mux(video.encode(image))
            while written < count and written * size <= (number + 1) * rate // 2:
                packet = av.Packet(click if written == count - 9 else silent)
                packet.stream, packet.time_base = sound, unit
                packet.pts = packet.dts = written * size
                packet.duration, packet.is_keyframe = size, True
                out.mux(packet)
                written += 1
        out.mux(video.encode(None))
    return path


def _packet(codec: str, rate: int, size: int, loud: float) -> bytes:
    """One packet of sound."""
    if codec.startswith("pcm"):
        return np.full(size, loud * 32767, "<i2").tobytes()
    encoder = av.CodecContext.create(codec, "w")
    encoder.sample_rate, encoder.layout = rate, "mono"
    encoder.format, encoder.time_base = "fltp", fractions.Fraction(1, rate)
    if codec == "libmp3lame":  # packets that need no others
        encoder.options = {"reservoir": "0"}
    wave = np.full((1, 8 * size), loud, np.float32) * np.sin(np.arange(8 * size) / 5)
    frame = av.AudioFrame.from_ndarray(wave.astype(np.float32), "fltp", "mono")
    frame.sample_rate, frame.pts = rate, 0
    packets = encoder.encode(frame)
    return bytes(packets[len(packets) // 2])


@pytest.mark.parametrize(
    ("name", "codec", "rate", "size"),
    [
        ("a.mkv", "aac", 44_100, 1024),  # to milliseconds
        ("a.avi", "libmp3lame", 48_000, 1152),  # to 24 ms
        ("a.mkv", "aac", 8_000, 1024),
        ("a.mkv", "pcm_s16le", 192_000, 19_200),  # made new, as those that follow
        ("a.mkv", "pcm_s16le", 44_100, 1000),
        ("a.avi", "pcm_s16le", 8_000, 800),
    ],
)
def test_a_click_is_where_it_was_after_a_minute(name, codec, rate, size, tmp_path):
    path = _long(tmp_path / name, codec, rate, MINUTE, size)
    note, output = result_of(path, ".mp4")
    assert note == ""
    heard = clicks_in(path)
    assert heard[0] > MINUTE - 2
    assert clicks_in(output) == pytest.approx(heard, abs=FRAME * MINUTE / HOUR + 0.001)


@pytest.mark.parametrize(
    ("rate", "unit"),
    [(44_100, 1000), (48_000, 1000), (8_000, 1000), (192_000, 90_000), (48_000, 42)],
)
def test_copied_sound_is_even_and_in_time_for_an_hour(rate, unit):
    """Even where its time stamps are rounded to a container's unit."""
    size, unit = 9216, fractions.Fraction(1, unit)
    stream = types.SimpleNamespace(
        codec_context=types.SimpleNamespace(sample_rate=rate, frame_size=size)
    )

    def packets():
        for number in range(HOUR * rate // size):
            packet = av.Packet(b"x")
            packet.time_base = unit
            packet.pts = packet.dts = round(number * size / rate / unit)
            yield packet

    found = [
        (packet.pts, packet.dts, packet.duration, packet.time_base)
        for packet in _sound_in_time(stream, packets(), Timeline())
    ]
    exact = fractions.Fraction(1, rate)
    assert found == [(n * size, n * size, size, exact) for n in range(len(found))]


def _clocked(told: list[float], rate: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends, in seconds, of frames whose time stamps are given."""
    frames = []
    for time in told:
        samples = np.zeros((1, size), np.float32)
        frame = av.AudioFrame.from_ndarray(samples, "flt", "mono")
        frame.sample_rate, frame.time_base = rate, fractions.Fraction(1, 10**6)
        frame.pts = round(time * 10**6)
        frames.append(frame)
    made = list(even(iter(frames), Timeline()))
    starts = np.array([frame.pts / rate for frame in made])
    return starts, starts + [frame.samples / rate for frame in made]


@pytest.mark.parametrize("rate", [8_000, 44_100])
@pytest.mark.parametrize("pace", [0.9999, 1.0, 1.0001])
def test_new_sound_follows_a_clock_that_goes_wrong_for_an_hour(rate, pace):
    """0.36 s in an hour are followed to a frame of 25 pictures a second."""
    size = rate // 4
    told = [5 + number * pace * size / rate for number in range(HOUR * 4)]
    starts, ends = _clocked(told, rate, size)
    assert np.all(starts[1:] >= ends[:-1] - 1e-9)
    nearest = told[0] + np.round((ends - told[0]) / (pace / 4)) * pace / 4
    assert np.abs(ends - nearest).max() < FRAME
    assert (np.diff(starts) != pytest.approx(0.25)) is (pace != 1.0)


@given(st.lists(st.floats(-0.012, 0.012), min_size=50, max_size=50))
def test_coarse_time_stamps_make_no_gaps(jitter):
    told = [number * 0.032 + wrong for number, wrong in enumerate(jitter)]
    starts, ends = _clocked(told, 8_000, 256)
    np.testing.assert_allclose(starts[1:], ends[:-1])
    assert abs(starts[0] - told[0]) < 1e-3


@pytest.mark.parametrize("start", [0.0, 0.3])
@pytest.mark.parametrize("first", [0, 4])
@pytest.mark.parametrize(
    ("name", "codec", "suffix"),
    [
        ("a.mkv", "pcm_s16le", ".mp4"),
        ("a.mkv", "libmp3lame", ".mp4"),
        ("a.mkv", "aac", ".mkv"),
        ("a.mp4", "aac", ".mp4"),
        ("a.mp4", "libopus", ".webm"),
        ("a.ts", "mp2", ".mp4"),
        ("a.mov", "pcm_s16le", ".mov"),
    ],
)
def test_the_offset_of_sound_and_pictures_is_kept(
    name, codec, suffix, first, start, tmp_path
):
    pictures = {".webm": "libvpx-vp9", ".mp4": "mpeg4"}.get(suffix, "mpeg4")
    sound = Sound(codec, start=start, clicks=(0.5, 0.9))
    path = write_recording(
        tmp_path / name, sound, seconds=1.2, start=first, pictures=pictures
    )
    note, output = result_of(path, suffix)
    assert note == ""
    assert clicks_in(output) == pytest.approx(clicks_in(path), abs=0.003)
    assert clicks_in(path)[0] == pytest.approx(0.5 - first / 10, abs=0.05)


def test_a_pause_in_the_sound_stays_and_what_is_twice_is_cut(tmp_path):
    """Packets of 0.3 s, of which one is missing and one overlaps the one before."""
    path = tmp_path / "a.mkv"
    starts = [0, 3000, 6000, 12_000, 13_500, 16_500]
    with av.open(str(path), "w") as out:
        video = out.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 16, 16, "yuv420p"
        sound = out.add_stream("pcm_s16le", rate=10_000, layout="mono")
        image = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")
        for number in range(20):
            image.pts = number
            out.mux(video.encode(image))
        out.mux(video.encode(None))
        for start in starts:
            wave = np.zeros(3000, "<i2")
            wave[500:520] = 30_000
            packet = av.Packet(wave.tobytes())
            packet.stream, packet.time_base = sound, fractions.Fraction(1, 10_000)
            packet.pts = packet.dts = start
            packet.duration = 3000
            out.mux(packet)
    note, output = result_of(path, ".mp4")
    assert note == ""
    expected = [0.05, 0.35, 0.65, 1.25, 1.7]  # the one at 1.4 s is cut
    assert clicks_in(output) == pytest.approx(expected, abs=0.01)
