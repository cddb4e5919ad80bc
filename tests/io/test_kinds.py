"""What a file is, by its content: photos, animations, videos under any name."""

import os
import pathlib
import subprocess
import sys

import av
import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image

from anonygan_jax.io.inputs import find_photos
from anonygan_jax.io.kinds import ANIMATION, PHOTO, VIDEO, Kind, kind_of

IMAGE = Image.fromarray(
    np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
)
PHOTOS = {
    **{"JPEG": ".jpg", "PNG": ".png", "BMP": ".bmp", "TIFF": ".tif", "WEBP": ".webp"},
    **{"GIF": ".gif", "PPM": ".ppm", "AVIF": ".avif", "MPO": ".jpg"},
}
# Muxer, encoder, and the suffix that fits.
VIDEOS = {
    "mp4": ("libx264", ".mp4"),
    "mov": ("mjpeg", ".mp4"),
    "matroska": ("libx264", ".mkv"),
    "webm": ("libvpx", ".mkv"),
    "avi": ("mpeg4", ".mp4"),
    "mpegts": ("libx264", ".mp4"),
    "vob": ("mpeg2video", ".mp4"),
    "asf": ("wmv2", ".mp4"),
    "flv": ("flv1", ".mp4"),
    "mxf": ("mpeg2video", ".mp4"),
    "ogv": ("libtheora", ".mp4"),
    "nut": ("mpeg4", ".mp4"),
    "ivf": ("libvpx", ".mp4"),
    "yuv4mpegpipe": ("wrapped_avframe", ".mp4"),
    "h264": ("libx264", ".mp4"),
    "mpeg2video": ("mpeg2video", ".mp4"),
}
OF_THE_ISSUE = [
    "VOB",
    "MXF",
    "ASF",
    "DV",
    "M2T",
    "M2TS",
    "F4V",
    "DIVX",
    "QT",
    "LRV",
    "INSV",
    "3G2",
    "OGV",
    "Y4M",
    "h264",
    "hevc",
    "mp4",
    "mov",
    "mkv",
    "webm",
    "avi",
    "mpg",
    "wmv",
    "mts",
    "ts",
    "3gp",
    "m4v",
    "flv",
]


def _video(path: pathlib.Path, muxer: str, codec: str) -> pathlib.Path:
    with av.open(f"file:{path}", "w", format=muxer) as container:
        video = container.add_stream(codec, rate=25)
        video.width, video.height = IMAGE.size
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for number in range(5):
            frame = av.VideoFrame.from_image(IMAGE).reformat(format=video.pix_fmt)
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def _moving(path: pathlib.Path, kind: str, count: int) -> pathlib.Path:
    frames = [IMAGE.rotate(n) for n in range(count)]
    frames[0].save(path, kind, save_all=True, append_images=frames[1:])
    return path


@pytest.mark.parametrize("kind", PHOTOS)
@pytest.mark.parametrize("suffix", ["", ".jpg", ".png", ".mp4", ".dat", ".tif", ".gif"])
def test_photos_by_their_content(kind, suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    IMAGE.save(path, kind)
    assert kind_of(path, is_named=True) == Kind(PHOTO, PHOTOS[kind])


def test_a_suffix_that_fits_stays(tmp_path):
    for suffix, kind in ((".JPEG", "JPEG"), (".mpo", "MPO"), (".tiff", "TIFF")):
        IMAGE.save(tmp_path / f"a{suffix}", kind)
        found = kind_of(tmp_path / f"a{suffix}", is_named=False)
        assert found == Kind(PHOTO, suffix.lower())
    IMAGE.save(tmp_path / "a.dib", "BMP")
    assert kind_of(tmp_path / "a.dib", is_named=False).suffix == ".dib"


@pytest.mark.parametrize("muxer", VIDEOS)
@pytest.mark.parametrize("name", ["clip", "clip.jpg", "a:b %d.dat"])
def test_videos_by_their_content(muxer, name, tmp_path):
    codec, suffix = VIDEOS[muxer]
    if codec not in av.codecs_available:
        pytest.skip(f"no {codec}")
    path = _video(tmp_path / name, muxer, codec)
    assert kind_of(path, is_named=True) == Kind(VIDEO, suffix)
    assert _kinds(tmp_path) == ({name: VIDEO} if name.endswith("jpg") else {})


def _kinds(folder: pathlib.Path) -> dict[str, str]:
    """Of what is found in a folder."""
    return {file.name: file.kind for file in find_photos([folder]) if file.kind}


def test_every_known_suffix_is_found_in_folders(tmp_path):
    for suffix in OF_THE_ISSUE:
        (tmp_path / f"{suffix}.{suffix}").write_bytes(b"a video")
        (tmp_path / f"{suffix}.{suffix.swapcase()}").write_bytes(b"a video")
    assert set(_kinds(tmp_path).values()) == {VIDEO}
    assert len(_kinds(tmp_path)) == 2 * len(OF_THE_ISSUE)


def test_jpegs_one_after_another_are_a_video(tmp_path):
    path = _video(tmp_path / "a.mjpeg", "mjpeg", "mjpeg")
    assert path.read_bytes().startswith(b"\xff\xd8\xff")
    assert kind_of(path, is_named=False) == Kind(VIDEO, ".mjpeg")


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("name", ["a", "a.jpg", "a.mp4"])
def test_animations_by_their_content(kind, name, tmp_path):
    path = _moving(tmp_path / name, kind, 3)
    assert kind_of(path, is_named=True) == Kind(ANIMATION, PHOTOS[kind])
    still = _moving(tmp_path / name, kind, 1)
    assert kind_of(still, is_named=True).name == PHOTO


def test_pages_and_what_only_looks_animated_are_photos(tmp_path):
    for kind in ("TIFF", "MPO"):
        path = _moving(tmp_path / "a", kind, 3)
        assert kind_of(path, is_named=True).name == PHOTO
    IMAGE.convert("RGBA").save(tmp_path / "a.webp", icc_profile=b"x" * 200)
    content = bytearray((tmp_path / "a.webp").read_bytes())
    assert content[12:16] == b"VP8X"
    assert kind_of(tmp_path / "a.webp", is_named=False).name == PHOTO
    content[20] |= 2  # says that it is one, and has one picture
    (tmp_path / "a.webp").write_bytes(content)
    assert kind_of(tmp_path / "a.webp", is_named=False).name == PHOTO


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a text",
        b"RIFF\x04\0\0\0WEBPVP8X",
        b"BM is how it begins",
        b"P6 a text",
        bytes(range(256)) * 40,
    ],
)
def test_what_is_neither(content, tmp_path):
    path = tmp_path / "notes"
    path.write_bytes(content)
    (named,) = find_photos([path])
    assert (named.kind, named.problem) == (None, "neither a photo nor a video")
    (found,) = find_photos([tmp_path])
    assert (found.kind, found.problem) == (None, None)
    for suffix, kind in ((".jpg", PHOTO), (".avi", VIDEO)):  # damaged, perhaps
        path = path.rename(tmp_path / f"a{suffix}")
        assert kind_of(path, is_named=False).name == kind


def test_sound_is_no_video(tmp_path):
    with av.open(f"{tmp_path / 'a.mp3'}", "w") as container:
        sound = container.add_stream("mp3", rate=48000, layout="mono")
        wave = np.zeros((1, 1152), np.float32)
        tone = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        tone.sample_rate = 48000
        container.mux(sound.encode(tone))
        container.mux(sound.encode(None))
    with av.open(f"{tmp_path / 'a.m4a'}", "w", format="mp4") as container:
        cover = container.add_stream("png", rate=1)
        cover.width, cover.height = IMAGE.size
        cover.pix_fmt, cover.disposition = "rgb24", Disposition.attached_pic
        sound = container.add_stream("aac", rate=48000, layout="mono")
        tone.pts = 0
        container.mux(cover.encode(av.VideoFrame.from_image(IMAGE)))
        container.mux(cover.encode(None))
        container.mux(sound.encode(tone))
        container.mux(sound.encode(None))
    for name in ("a.mp3", "a.m4a"):
        assert kind_of(tmp_path / name, is_named=True).name is None


def test_a_file_that_cannot_be_read_is_what_its_suffix_tells(tmp_path, monkeypatch):
    def fails(path, *_):
        raise PermissionError(13, "Permission denied", str(path))

    for name in ("a.jpg", "a.mov", "notes"):
        (tmp_path / name).touch()
    monkeypatch.setattr(pathlib.Path, "open", fails)
    assert _kinds(tmp_path) == {"a.jpg": PHOTO, "a.mov": VIDEO}
    (named,) = find_photos([tmp_path / "notes"])
    assert (named.problem, named.is_loss) == (
        "cannot be read (Permission denied)",
        True,
    )


def test_photos_and_videos_are_found_without_ffmpeg(tmp_path):
    """PyAV takes as long to import as all of a small photo's search."""
    for kind, suffix in PHOTOS.items():
        IMAGE.save(tmp_path / f"{kind}{suffix}", kind)
    _moving(tmp_path / "moving.png", "PNG", 2)
    _video(tmp_path / "a.mkv", "matroska", "libx264")
    (tmp_path / "notes.md").write_text("a text")
    program = (
        "import sys; from anonygan_jax.io.inputs import find_photos;"
        "found = find_photos(sys.argv[1:]);"
        "print(sum(f.kind is not None for f in found), 'av' in sys.modules)"
    )
    inputs = [str(tmp_path), str(tmp_path / "JPEG.jpg")]
    done = subprocess.run(
        [sys.executable, "-c", program, *inputs],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parents[2])},
    )
    assert done.stdout == f"{len(PHOTOS) + 2} False\n", done.stderr
