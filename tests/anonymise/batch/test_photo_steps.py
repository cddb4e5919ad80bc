"""Photos of several pages: every page is searched and done."""

import json

import numpy as np
import tifffile
from PIL import Image

from anonygan_jax.anonymise.batch.run import BatchRun
from anonygan_jax.anonymise.settings import Settings


def test_the_faces_of_every_page_are_hidden(tmp_path, group_photo, embedded):
    empty = np.full((200, 200, 3), 120, np.uint8)
    pages = [group_photo, empty, embedded[1].image]
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for page in pages:
            file.write(page, photometric="rgb", metadata=None)
    settings = Settings(method="blackout", is_marked=True)
    with BatchRun((str(tmp_path / "a.tif"),), tmp_path / "out", settings) as run:
        (result,) = run.results()
    assert [face.page for face in result.faces] == [0, 0, 2]
    assert result.note == "no face found on page 2, check it"
    with tifffile.TiffFile(tmp_path / "out" / "a.tif") as file:
        results = [page.asarray() for page in file.pages]
        assert b"algorithmicallyEnhanced" in file.pages[0].tags[700].value
        assert 700 not in file.pages[1].tags
    for face in result.faces:
        left, top, right, bottom = face.box_xyxy
        centre = np.s_[(top + bottom) // 2, (left + right) // 2]
        assert not results[face.page][centre].any()
    np.testing.assert_array_equal(results[1], empty)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["photos"][0]["note"] == result.note


def test_a_copy_that_lacks_something_is_a_copy_and_says_so(tmp_path):
    path = tmp_path / "a.jpg"
    Image.new("RGB", (80, 60), "green").save(path)
    path.write_bytes(path.read_bytes() + b"\0\0\0\x18ftypmp42 moov")
    settings = Settings(method="blackout", no_face="copy")
    with BatchRun((str(path),), tmp_path / "out", settings) as run:
        (result,) = run.results()
    assert not result.is_left
    assert "copied, the video in it is left out" in result.line()
