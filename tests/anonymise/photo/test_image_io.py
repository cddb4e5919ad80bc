"""What of a photo goes into its result, and what does not."""

import pathlib

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.ExifTags import IFD, Base

from anonygan_jax.anonymise.photo.image_io import open_image
from anonygan_jax.anonymise.photo.metadata import MetadataError, kept_tags, parse_groups
from anonygan_jax.anonymise.photo.writing import Changed, write_image, write_photo
from anonygan_jax.io.photos import PhotoError

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SECRET = b"a name that must not get out"


@pytest.fixture
def telling_photo(embedded, tmp_path) -> pathlib.Path:
    """A photo that says where, when and by whom it was taken, with a thumbnail."""
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    exif[Base.Make], exif[Base.Artist] = "Camera", SECRET.decode()
    exif[Base.DateTime] = "2026:11:24 10:00:00"
    exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = "2026:11:24 10:00:00"
    exif.get_ifd(IFD.Exif)[Base.BodySerialNumber] = SECRET.decode()
    exif.get_ifd(IFD.GPSInfo).update({1: "N", 2: (52.0, 3.0, 1.0)})
    path = tmp_path / "in" / "telling.jpg"
    path.parent.mkdir()
    Image.fromarray(embedded[0].image).save(
        path,
        exif=exif,
        icc_profile=PROFILE,
        quality=60,
        comment=SECRET,
        xmp=SECRET,
        dpi=(300, 300),
    )
    return path


def _through(
    path: pathlib.Path, name: str, groups: tuple[str, ...] = ()
) -> pathlib.Path:
    """The result of a photo of which the first rows change."""
    written = path.parent / "out" / name

    def change(_: int, image_u8: np.ndarray) -> Changed:
        changed = image_u8.copy()
        changed[:4, :, 0] ^= 128
        return Changed(changed)

    write_image(written, open_image(path, groups), change)
    return written


def _copied(path: pathlib.Path, name: str) -> pathlib.Path:
    """The result of a photo that does not change."""
    written = path.parent / "out" / name
    write_image(written, open_image(path), lambda _, image_u8: Changed(image_u8))
    return written


@pytest.mark.parametrize("through", [_through, _copied])
def test_nothing_but_the_picture_and_its_colours_is_kept(telling_photo, through):
    written = through(telling_photo, "a.jpg")
    assert SECRET in telling_photo.read_bytes()
    assert SECRET not in written.read_bytes()
    result, before = Image.open(written), Image.open(telling_photo)
    assert dict(result.getexif()) == {Base.Orientation: 6}
    assert result.info["icc_profile"] == PROFILE
    assert result.info["dpi"] == (300, 300)
    assert result.size == before.size  # as stored
    assert result.quantization == before.quantization


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_groups_of_metadata_are_kept_when_asked(telling_photo, suffix):
    exif = Image.open(_through(telling_photo, f"a{suffix}", ("gps", "time"))).getexif()
    assert exif.get_ifd(IFD.GPSInfo)[2] == (52.0, 3.0, 1.0)
    assert exif[Base.DateTime] == exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal]
    assert Base.BodySerialNumber not in exif.get_ifd(IFD.Exif)
    assert not {Base.Make, Base.Artist} & set(exif)
    exif = Image.open(_through(telling_photo, f"c{suffix}", ("time",))).getexif()
    assert exif[Base.DateTime]
    assert not exif.get_ifd(IFD.GPSInfo)
    everything = _through(telling_photo, f"b{suffix}", parse_groups("all"))
    exif = Image.open(everything).getexif()
    assert exif[Base.Make] == "Camera"
    assert exif[Base.Artist] == SECRET.decode()
    assert exif[Base.Orientation] == 6


def test_groups_of_a_video_and_groups_that_do_not_exist():
    tags = {"location": "+52", "creation_time": "2026", "encoder": "x", "title": "y"}
    assert kept_tags(tags, ("gps", "author")) == {"location": "+52", "title": "y"}
    assert kept_tags(tags, ()) == {}
    with pytest.raises(MetadataError, match="unknown group of metadata place"):
        parse_groups("gps,place")


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tiff"])
def test_opacity_is_kept_and_pixels_below_it_are_seen(tmp_path, suffix):
    rng = np.random.default_rng(0)
    rgba = rng.integers(0, 256, (20, 30, 4), np.uint8)
    rgba[:5, :, 3] = 0
    Image.fromarray(rgba).save(tmp_path / f"a{suffix}", lossless=True, exact=True)
    (page,) = open_image(tmp_path / f"a{suffix}").pages()
    np.testing.assert_array_equal(page.pixels, rgba)
    np.testing.assert_array_equal(page.view(), rgba[..., :3])
    written = Image.open(_through(tmp_path / f"a{suffix}", f"b{suffix}"))
    np.testing.assert_array_equal(np.asarray(written)[..., 3], rgba[..., 3])
    np.testing.assert_array_equal(np.asarray(written)[4:], rgba[4:])
    assert Image.open(_through(tmp_path / f"a{suffix}", "c.jpg")).mode == "RGB"


def test_animations_are_refused_by_name(tmp_path):
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    for name in ("a.gif", "a.webp"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        with pytest.raises(PhotoError, match=rf"{name}: 2 frames, wanted one"):
            open_image(tmp_path / name)


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    write_photo(path, np.zeros((4, 4, 3), np.uint8))
    before = path.read_bytes()
    with pytest.raises(ValueError, match="unknown file extension"):
        write_image(tmp_path / "a.xyz", open_image(path), lambda _, x: Changed(x))
    monkeypatch.setattr(Image.Image, "save", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_image(path, open_image(path), lambda _, x: Changed(x + 1))
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_a_thumbnail_of_the_same_file_is_no_page(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    picture = np.full((40, 60, 3), 90, np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(picture, photometric="rgb")
        file.write(picture[::4, ::4], photometric="rgb", subfiletype=1)
    photo = open_image(tmp_path / "a.tif")
    assert photo.numbers == (0,)
    assert photo.note == "the 1 thumbnail in it is left out"
