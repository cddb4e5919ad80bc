"""Pictures are never lost by their sound, and what became of it is said."""

import errno
import fractions
import pathlib

import av
import numpy as np
import pytest
from clips import pictures, read_clip, write_clip
from recordings import MILLISECOND, Sound, clicks_in, result_of, write_recording

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.batch.file_results import REPLACED, FileResult
from anonygan_jax.anonymise.video import sound
from anonygan_jax.anonymise.video.anonymise import VideoResult, anonymise_video
from anonygan_jax.anonymise.video.side_streams import SideStreams
from anonygan_jax.anonymise.video.source import Video

COUNT = 12


@pytest.fixture(scope="module")
def frames(embedded) -> list[np.ndarray]:
    return pictures([embedded[0].image], COUNT)


def _hide(path: pathlib.Path) -> VideoResult:
    output = path.with_name("out.mp4")
    result = anonymise_video(Anonymiser("blur"), path, output, search_every=100)
    assert len(read_clip(output)[0]) == COUNT
    return result


def _sound(path: pathlib.Path) -> tuple[str, np.ndarray, float] | None:
    """Codec, samples, and when they begin."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        decoded = list(container.decode(stream))
        samples = np.concatenate([f.to_ndarray()[0] for f in decoded])
        return stream.codec_context.codec.canonical_name, samples, decoded[0].time


def _packets(path: pathlib.Path) -> list[tuple[bytes, float]]:
    """Content and time of each packet of sound."""
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(audio=0) if p.size]
        return [(bytes(p), float(p.pts * p.time_base)) for p in packets]


def _write_pcm(path: pathlib.Path, frames: list[np.ndarray], rate: int) -> None:
    """A video whose sound is a tone of 1,000 Hz from 0.1 s on."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=30)
        video.height, video.width = frames[0].shape[:2]
        stream = container.add_stream("pcm_s16le", rate=rate, layout="mono")
        for number, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, "rgb24")
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        times = np.arange(rate // 10) / rate
        wave = (8000 * np.sin(2000 * np.pi * times)).astype(np.int16)
        for number in range(1, 4):
            tone = av.AudioFrame.from_ndarray(wave[None], "s16", "mono")
            tone.sample_rate, tone.pts = rate, number * len(wave)
            tone.time_base = fractions.Fraction(1, rate)
            container.mux(stream.encode(tone))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("suffix", "codec"), [(".avi", "mp3"), (".mkv", "mp3"), (".mp4", "aac")]
)
def test_sound_that_mp4_can_contain_is_copied(suffix, codec, frames, tmp_path):
    path = write_clip(tmp_path / f"a{suffix}", frames, audio_codec=codec)
    assert _hide(path).note == ""
    before, after = _packets(path), _packets(tmp_path / "out.mp4")
    assert [content for content, _ in before] == [content for content, _ in after]
    shifts = np.array([b[1] - a[1] for a, b in zip(before, after, strict=True)])
    assert np.abs(shifts).max() < 0.001 + (suffix == ".mkv") * 0.05  # its own delay


@pytest.mark.parametrize("rate", [192_000, 48_000, 6_000])
def test_sound_of_any_rate_is_made_new_and_stays_in_time(rate, frames, tmp_path):
    _write_pcm(tmp_path / "a.mkv", frames, rate)
    assert _hide(tmp_path / "a.mkv").note == ""
    codec, samples, start = _sound(tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        made = container.streams.audio[0].rate
    assert codec == "aac"
    loud = np.flatnonzero(np.abs(samples) > 0.1) / made + start
    assert loud[0] == pytest.approx(0.1, abs=0.03)
    assert loud[-1] == pytest.approx(0.4, abs=0.05)
    middle = samples[int((0.2 - start) * made) : int((0.3 - start) * made)]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) * made / len(middle) == pytest.approx(1000, abs=20)


def _break(path: pathlib.Path, track: int, numbers: slice) -> None:
    """Makes packets of sound unreadable for its decoder."""
    with av.open(str(path)) as container:
        packets = [bytes(p) for p in container.demux(audio=track) if p.size]
    data = path.read_bytes()
    for packet in packets[numbers]:
        assert data.count(packet) == 1
        data = data.replace(packet, bytes(255 - byte for byte in packet))
    path.write_bytes(data)


@pytest.mark.parametrize(("codec", "made"), [("flac", "flac"), ("mp2", "aac")])
def test_broken_packets_are_left_out_and_counted(codec, made, tmp_path):
    tracks = Sound("flac"), Sound(codec, clicks=(0.2, 0.9))
    path = write_recording(tmp_path / "a.mkv", *tracks)
    _break(path, 1, slice(1, 2))
    note, output = result_of(path, ".mp4")
    assert note == "1 broken packet of sound 2 left out"
    with av.open(str(output)) as container:
        assert container.streams.audio[1].codec_context.name == made
    assert clicks_in(output, 0) == pytest.approx([0.5], abs=0.003)
    assert clicks_in(output, 1)[-1] == pytest.approx(0.9, abs=0.003)


@pytest.mark.parametrize("codec", ["flac", "mp2"])
def test_a_broken_track_costs_no_other_track(codec, tmp_path):
    broken = Sound(codec, tags={"language": "deu"}, clicks=(0.1, 0.4, 0.8))
    path = write_recording(tmp_path / "a.mkv", Sound("ac3"), broken, Sound("aac"))
    _break(path, 1, slice(None))
    note, output = result_of(path, ".mp4")
    assert note == "left out: sound 2 (deu, cannot be decoded)"
    assert len(clicks_in(output, 0)) == len(clicks_in(output, 1)) == 1
    with av.open(str(output)) as container:
        codecs = [s.codec_context.name for s in container.streams.audio]
    assert codecs == ["ac3", "aac"]


def test_a_track_of_an_unknown_codec_is_named(tmp_path):
    path = write_recording(tmp_path / "a.mkv", Sound("flac"), Sound("ac3"))
    path.write_bytes(path.read_bytes().replace(b"A_AC3", b"A_XYZ"))
    note, output = result_of(path, ".mp4")
    assert note == "left out: sound 2 (unknown codec)"
    assert len(clicks_in(output)) == 1


def test_sound_that_fails_is_left_out_and_that_is_said(frames, tmp_path, monkeypatch):
    def fails(*_):
        raise av.error.ArgumentError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(sound, "copied", fails)
    monkeypatch.setattr(sound, "_encode", fails)
    path = write_clip(tmp_path / "a.mp4", frames, audio_codec="aac")
    note = _hide(path).note
    assert note == "left out: sound 1 (Invalid argument)"
    assert _sound(tmp_path / "out.mp4") is None
    result = FileResult("a.mp4", REPLACED, "out.mp4", num_frames=12, note=note)
    assert result.line() == f"out.mp4: 0 faces, 12 frames, {note}"


def test_a_full_disk_is_no_broken_sound(tmp_path, limited_files):
    path = write_recording(tmp_path / "a.mkv", Sound("pcm_s16le"), seconds=3)
    video = Video(path)
    with (
        limited_files(2000),
        pytest.raises(OSError, match="File too large"),
        SideStreams.made(video, ".mp4", True),
    ):
        pass


def test_new_sound_that_cannot_be_read_again_is_named(tmp_path, monkeypatch):
    """As of damaged time stamps, which fuzzing found."""

    def fails(_):
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(sound, "_read_again", fails)
    path = write_recording(tmp_path / "a.mkv", Sound("pcm_s16le"), Sound("aac"))
    note, output = result_of(path, ".mp4")
    assert note == "left out: sound 1 (time stamps that are too large)"
    assert len(clicks_in(output)) == 1


def _tones(path: pathlib.Path, layout: str, count: int) -> list[float]:
    """Writes sound with a pitch for each channel; returns hertz."""
    pitches = [40.0 + 10 * number for number in range(count)]
    times = np.arange(24_000) / 48_000
    waves = [8000 * np.sin(2 * np.pi * pitch * times) for pitch in pitches]
    samples = np.stack(waves, 1).astype(np.int16).reshape(1, -1)

    def add(out):
        stream = out.add_stream("pcm_s16le", rate=48_000, layout=layout)
        frame = av.AudioFrame.from_ndarray(samples, "s16", layout)
        frame.sample_rate, frame.pts = 48_000, 0
        frames.append((stream, frame))

    frames: list[tuple] = []
    write_recording(path, before=add, last=lambda: frames[0][0].encode(frames[0][1]))
    return pitches


@pytest.mark.parametrize(
    ("name", "layout", "count", "kept"),
    [
        ("a.mov", "mono", 1, "mono"),
        ("a.mov", "2.1", 3, "2.1"),
        ("a.mov", "quad", 4, "quad"),
        ("a.mov", "5.1(side)", 6, "5.1"),
        ("a.mov", "7.1(wide)", 8, "8 channels"),
        ("a.mkv", "3 channels", 3, "2.1"),
        ("a.mkv", "6 channels", 6, "5.1"),
        ("a.mkv", "8 channels", 8, "7.1"),
    ],
)
def test_channels_are_kept_in_their_places(name, layout, count, kept, tmp_path):
    pitches = _tones(tmp_path / name, layout, count)
    note, output = result_of(tmp_path / name, ".mp4")
    assert note == ""
    resampler = av.AudioResampler("flt")  # PyAV reads packed samples rightly
    with av.open(str(output)) as container:
        assert container.streams.audio[0].layout.name == kept
        frames = [resampler.resample(f)[0] for f in container.decode(audio=0)]
    samples = np.concatenate([f.to_ndarray().reshape(-1, count) for f in frames])
    for number, pitch in enumerate(pitches):
        spectrum = np.abs(np.fft.rfft(samples[4096:20_480, number]))
        assert np.argmax(spectrum) * 48_000 / 16_384 == pytest.approx(pitch, abs=3)


def test_channels_that_aac_does_not_have_are_mixed_and_that_is_said(tmp_path):
    _tones(tmp_path / "a.mkv", "10 channels", 10)
    note, output = result_of(tmp_path / "a.mkv", ".mp4")
    assert note == "sound 1: 10 channels mixed to 2"
    with av.open(str(output)) as container:
        assert container.streams.audio[0].layout.name == "stereo"
    note, output = result_of(tmp_path / "a.mkv", ".mkv")
    assert note == ""
    with av.open(str(output)) as container:
        assert container.streams.audio[0].layout.nb_channels == 10


def test_sound_that_changes_on_the_way_goes_on(tmp_path):
    """Two parts of MPEG sound: mono of 48 kHz, then stereo of 32 kHz."""
    parts = []
    for number, (rate, layout) in enumerate(((48_000, "mono"), (32_000, "stereo"))):
        tone = Sound("mp2", rate, layout, clicks=(0.5,))
        part = write_recording(tmp_path / f"{number}.mkv", tone)
        with av.open(str(part)) as read:
            packets = [(p.pts, bytes(p)) for p in read.demux(audio=0) if p.size]
        parts += [(pts + 1000 * number, data) for pts, data in packets if pts < 1000]
    path = tmp_path / "a.mkv"
    with av.open(str(tmp_path / "0.mkv")) as read, av.open(str(path), "w") as out:
        video, heard = (
            out.add_stream_from_template(s, opaque=True) for s in read.streams
        )
        for packet in read.demux(video=0):
            if packet.size:
                packet.stream = video
                out.mux(packet)
        for pts, data in parts:
            packet = av.Packet(data)
            packet.stream, packet.time_base = heard, MILLISECOND
            packet.pts = packet.dts = pts
            out.mux(packet)
    note, output = result_of(path, ".mp4")
    assert note == ""
    assert clicks_in(output) == pytest.approx([0.5, 1.5], abs=0.01)
