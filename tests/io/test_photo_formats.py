"""Plug-ins that are missing are named; lists and hidden files; named files."""

import pytest
from PIL import Image

from anonygan_jax.io import extras, photo_formats, photos
from anonygan_jax.io.inputs import find_photos
from anonygan_jax.io.kinds import PHOTO


def test_heic_without_its_package_names_the_command(tmp_path, monkeypatch):
    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40))
    monkeypatch.setattr(extras, "are_installed", lambda *_: False)
    photo_formats._register_heif.cache_clear()
    with pytest.raises(photos.PhotoError, match=r"pip install 'anonygan_jax\[heic\]'"):
        photos.read_photo(path)


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_lists_in_any_unicode(tmp_path, coding):
    (tmp_path / "l.txt").write_text("ä.jpg\r\n\r\nb.jpg\r\n", encoding=coding)
    found = find_photos([tmp_path / "l.txt"])
    assert [file.name for file in found] == ["b.jpg", "ä.jpg"]


def test_names_in_lists_may_have_breaks_of_unicode(tmp_path):
    names = ["a\u2028b.jpg", "c\x85d.jpg", "e\x0cf.jpg"]
    (tmp_path / "l.txt").write_text("\n".join(names), "utf-8", newline="\r\n")
    assert [file.name for file in find_photos([tmp_path / "l.txt"])] == names


def test_hidden_files_are_no_inputs_of_a_folder(tmp_path):
    for name in ("a.jpg", "._a.jpg", ".DS_Store", "Thumbs.db", ".trash/b.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [file.name for file in find_photos([tmp_path])] == ["a.jpg"]


def test_a_named_file_is_taken_by_its_content(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "IMG_1", "JPEG")
    (tmp_path / "notes").write_text("no photo")
    (photo,) = find_photos([tmp_path / "IMG_1"])
    assert (photo.kind, photo.suffix) == (PHOTO, ".jpg")
    (other,) = find_photos([tmp_path / "notes"])
    assert other.kind is None
    assert not any(f.kind for f in find_photos([tmp_path]))


def test_a_limit_by_request(tmp_path):
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    with photos.opened(tmp_path / "a.png", max_pixels=600) as photo:
        assert photo.size == (30, 20)
    with (
        pytest.raises(photos.PhotoError, match="30x20 pixels, more than the limit"),
        photos.opened(tmp_path / "a.png", max_pixels=599),
    ):
        pass
