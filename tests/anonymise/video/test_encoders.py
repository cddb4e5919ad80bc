"""Which codec a result has, how well it is encoded, and how large it is."""

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from coloured_clips import COUNT, Clip, bars, read, rewritten, write
from skimage.metrics import structural_similarity

from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.anonymise.video import hardware_encoders
from anonygan_jax.anonymise.video.encoding import (
    AV1,
    CODECS,
    H264,
    H265,
    SAME,
    SMALL,
    Encoding,
    container_suffix,
)
from anonygan_jax.cli import main

QUIET = (("x265-params", "log-level=error"),)
CHOICES = [
    (Clip(), "a.mp4", SAME, ("h264", "yuv420p")),
    (Clip("libx265", options=QUIET), "a.mp4", SAME, ("hevc", "yuv420p")),
    (Clip("libx265", options=QUIET), "a.mp4", H264, ("h264", "yuv420p")),
    (Clip("libsvtav1"), "a.mp4", SAME, ("av1", "yuv420p")),
    (Clip("libsvtav1"), "a.webm", SAME, ("av1", "yuv420p")),
    (Clip("libvpx-vp9"), "a.webm", SAME, ("vp9", "yuv420p")),
    (Clip("libvpx-vp9"), "a.mkv", SAME, ("vp9", "yuv420p")),
    (Clip("libvpx-vp9"), "a.webm", H265, ("hevc", "yuv420p")),
    (Clip("libvpx-vp9"), "a.mp4", SAME, ("h264", "yuv420p")),
    (Clip("libvpx"), "a.webm", SAME, ("vp8", "yuv420p")),
    (Clip("prores_ks", "yuv422p10le"), "a.mov", SAME, ("prores", "yuv422p10le")),
    (Clip("prores_ks", "yuv422p10le"), "a.mkv", SAME, ("hevc", "yuv420p10le")),
    (Clip("mpeg4"), "a.avi", SAME, ("h264", "yuv420p")),
    (Clip("mjpeg", "yuvj422p", range=2), "a.mov", SAME, ("h264", "yuvj420p")),
    (Clip("ffv1", "yuv444p10le"), "a.mkv", SAME, ("hevc", "yuv420p10le")),
    (Clip("ffv1", "gray"), "a.mkv", H264, ("h264", "yuv420p")),
    (Clip(pix_fmt="yuv422p10le"), "a.mov", SAME, ("h264", "yuv422p10le")),
    (Clip(), "a.mov", AV1, ("av1", "yuv420p")),
    (Clip("libsvtav1"), "a.mkv", SAME, ("av1", "yuv420p")),
]


@pytest.mark.parametrize(("how", "file", "codec", "wanted"), CHOICES)
def test_the_codec_is_kept_or_one_that_players_know(how, file, codec, wanted, tmp_path):
    path = write(tmp_path / file, [bars()] * COUNT, how)
    output, _ = rewritten(path, container_suffix(path.suffix, codec), Encoding(codec))
    result = read(output)
    assert (result.codec, result.pix_fmt) == wanted


@pytest.mark.parametrize("codec", CODECS)
def test_containers_stay_where_they_can_have_the_codec(codec):
    assert container_suffix(".MOV", codec) == (".mp4" if codec == AV1 else ".mov")
    assert container_suffix(".mkv", codec) == ".mkv"
    assert container_suffix(".avi", codec) == ".mp4"
    is_webm = codec in (SAME, AV1)
    assert container_suffix(".webm", codec) == (".webm" if is_webm else ".mp4")


@pytest.fixture(scope="module")
def moving(embedded) -> list[np.ndarray]:
    """Faces that drift, with some noise: 50 frames of 256x320."""
    rng = np.random.default_rng(0)
    face = cv2.resize(embedded[0].image, (192, 240))
    frames = []
    for number in range(50):
        frame = np.full((256, 320, 3), 150, np.uint8)
        frame[8:248, 10 + number : 202 + number] = face
        noisy = frame + rng.normal(0, 2, frame.shape)
        frames.append(np.clip(noisy, 0, 255).astype(np.uint8))
    return frames


SOURCES = {
    "h264": ("a.mp4", Clip(options=(("crf", "23"), ("preset", "slow")))),
    "hevc": ("a.mp4", Clip("libx265", options=(*QUIET, ("crf", "26")))),
    "vp9": ("a.webm", Clip("libvpx-vp9", options=(("crf", "32"), ("b", "0")))),
    "mpeg2": ("a.mpg", Clip("mpeg2video", options=(("q", "4"),))),
}


@pytest.mark.parametrize("name", SOURCES)
def test_no_loss_is_seen_and_the_size_is_about_the_same(name, moving, tmp_path):
    file, how = SOURCES[name]
    path = write(tmp_path / file, moving, how)
    output, _ = rewritten(path, container_suffix(path.suffix, SAME))
    old, new = read(path).images, read(output).images
    similar = [
        structural_similarity(a, b, channel_axis=2)
        for a, b in zip(old, new, strict=True)
    ]
    assert np.mean(similar) >= 0.98
    assert output.stat().st_size <= 1.3 * path.stat().st_size


def test_a_lower_quality_is_smaller(moving, tmp_path):
    path = write(tmp_path / "a.mp4", moving, Clip(options=(("crf", "16"),)))
    high = rewritten(path)[0].stat().st_size
    small = rewritten(path, how=Encoding(quality=SMALL))[0].stat().st_size
    assert small < high / 2


@pytest.fixture
def hardware(monkeypatch):
    """Encoders that pretend to be a graphics processor's."""

    def pretend(kinds: tuple[str, ...]) -> None:
        hardware_encoders.hardware_encoder.cache_clear()
        monkeypatch.setattr(hardware_encoders, "_KINDS", kinds)

    yield pretend
    hardware_encoders.hardware_encoder.cache_clear()


def test_a_machine_without_a_hardware_encoder_says_so(hardware, moving, tmp_path):
    hardware(("nvenc", "nothing"))
    with pytest.raises(ValueError, match="no hardware encoder can be used here"):
        Settings(is_hardware=True)
    path = write(tmp_path / "a.mp4", moving[:3], Clip())
    arguments = ["anonymise", str(path), "--output", str(tmp_path / "out")]
    result = CliRunner().invoke(main.main, [*arguments, "--hardware-encoder"])
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "tried nvenc, nothing" in result.output


def test_what_hardware_lacks_is_encoded_by_software(hardware, tmp_path, monkeypatch):
    hardware(("real",))
    monkeypatch.setattr(hardware_encoders, "_works", lambda name: name == "h264_real")
    hardware_encoders.check_hardware()
    assert hardware_encoders.hardware_encoder("h264") == "h264_real"
    path = write(tmp_path / "a.webm", [bars()] * COUNT, Clip("libvpx-vp9"))
    output, note = rewritten(path, ".webm", Encoding(is_hardware=True))
    assert note == "no hardware encoder of vp9"
    assert read(output).codec == "vp9"
