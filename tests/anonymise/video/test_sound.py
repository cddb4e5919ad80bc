"""Pictures are never lost by their sound, and what became of it is said."""

import errno
import fractions
import pathlib

import av
import numpy as np
import pytest
from clips import pictures, read_clip, write_clip

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.batch.file_results import REPLACED, FileResult
from anonygan_jax.anonymise.video import sound
from anonygan_jax.anonymise.video.anonymise import VideoResult, anonymise_video

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


def test_broken_packets_of_sound_are_left_out_and_counted(frames, tmp_path):
    path = write_clip(tmp_path / "a.mkv", frames, audio_codec="flac")
    with av.open(str(path)) as container:
        packets = [bytes(p) for p in container.demux(audio=0) if p.size]
    data = path.read_bytes()
    broken = bytes([packets[1][0] ^ 0xFF]) + packets[1][1:]
    path.write_bytes(data.replace(packets[1], broken))
    result = _hide(path)
    assert result.note == "1 broken packets of sound left out"
    assert _sound(tmp_path / "out.mp4")[0] == "aac"


def test_sound_that_fails_is_left_out_and_that_is_said(frames, tmp_path, monkeypatch):
    def fails(*_):
        raise av.error.ArgumentError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(sound, "_copied", fails)
    monkeypatch.setattr(sound, "_encoded", fails)
    path = write_clip(tmp_path / "a.mp4", frames, audio_codec="aac")
    note = _hide(path).note
    assert note == "without sound, which cannot be used (aac: Invalid argument)"
    assert _sound(tmp_path / "out.mp4") is None
    result = FileResult("a.mp4", REPLACED, "out.mp4", num_frames=12, note=note)
    assert result.line() == f"out.mp4: 0 faces, 12 frames, {note}"
    monkeypatch.setattr(sound, "_copied", lambda *_: 0)  # of a stream without packets
    assert _hide(path).note == ""
