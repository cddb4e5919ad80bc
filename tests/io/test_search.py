"""Search of folders: links, loops, what cannot be read, what is no file."""

import os
import pathlib

import pytest

from anonygan_jax.io.inputs import find_photos


def _found(folder: pathlib.Path) -> tuple[list[str], dict[str, str]]:
    """Names of files, and problems by name."""
    found = find_photos([folder])
    problems = {file.name: file.problem for file in found if file.problem}
    return [file.name for file in found if not file.problem], problems


def _touch(*paths: pathlib.Path) -> None:
    for path in paths:
        path.parent.mkdir(exist_ok=True, parents=True)
        path.touch()


def test_folders_behind_links_are_entered_once(tmp_path):
    folder = tmp_path / "in"
    _touch(folder / "z" / "a.jpg", tmp_path / "elsewhere" / "sub" / "b.jpg")
    (folder / "a link").symlink_to(folder / "z")
    (folder / "out of it").symlink_to(tmp_path / "elsewhere")
    (folder / "twice").symlink_to(tmp_path / "elsewhere" / "sub")
    names, problems = _found(folder)
    assert names == ["out of it/sub/b.jpg", "z/a.jpg"]
    assert problems == {
        "a link": f"a link to {folder / 'z'}, which is searched already",
        "twice": f"a link to {folder / 'out of it' / 'sub'}, which is searched already",
    }


def test_loops_of_links_are_noticed(tmp_path):
    folder = tmp_path / "in"
    _touch(folder / "sub" / "a.jpg")
    (folder / "sub" / "loop").symlink_to(folder)
    (folder / "up").symlink_to(tmp_path)
    (folder / "one").symlink_to("other")
    (folder / "other").symlink_to("one")
    names, problems = _found(folder)
    assert names == ["sub/a.jpg"]
    assert set(problems) == {"sub/loop", "up", "one", "other"}
    assert problems["up"] == f"a link to {tmp_path}, in which it lies"


def test_an_input_may_be_a_link(tmp_path):
    _touch(tmp_path / "real" / "a.jpg")
    (tmp_path / "real" / "b.jpg").symlink_to("a.jpg")
    (tmp_path / "link").symlink_to("real")
    assert _found(tmp_path / "link") == (["a.jpg", "b.jpg"], {})


def test_what_is_no_file_is_named(tmp_path):
    _touch(tmp_path / "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "gone.jpg").symlink_to("nowhere")
    assert _found(tmp_path) == (
        ["a.jpg"],
        {
            "gone.jpg": "a link to nowhere, which is not there",
            "pipe.jpg": "neither a file nor a folder",
        },
    )
    (pipe,) = find_photos([tmp_path / "pipe.jpg"])
    assert pipe.problem == "not a file"
    (tmp_path / "list.txt").write_text("pipe.jpg\n")
    (pipe,) = find_photos([tmp_path / "list.txt"])
    assert pipe.kind is None


def test_a_folder_that_cannot_be_read_is_a_loss(tmp_path, monkeypatch):
    _touch(tmp_path / "secret" / "a.jpg", tmp_path / "b.jpg")
    listed = pathlib.Path.iterdir

    def fails(path):  # the tests may run as root, who can read all
        if path.name == "secret":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(pathlib.Path, "iterdir", fails)
    secret, photo = sorted(find_photos([tmp_path]), key=lambda file: not file.is_loss)
    assert (secret.name, photo.name) == ("secret", "b.jpg")
    assert secret.problem == "cannot be searched (Permission denied)"


def test_what_is_no_photo_may_have_one_name_in_two_inputs(tmp_path):
    _touch(tmp_path / "a" / "notes.doc", tmp_path / "b" / "notes.doc")
    _touch(tmp_path / "a" / "1.jpg", tmp_path / "b" / "2.jpg")
    assert len(find_photos([tmp_path / "a", tmp_path / "b"])) == 4


def test_a_list_that_is_no_text_is_told(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\0")
    with pytest.raises(ValueError, match=r"a\.txt: not a list of files"):
        find_photos([tmp_path / "a.txt"])
