"""Results say that they are edited, in each format that has XMP."""

import numpy as np
import pytest
from PIL import Image

from anonygan_jax.anonymise.photo import mark
from anonygan_jax.anonymise.photo.image_io import open_image
from anonygan_jax.anonymise.photo.writing import Changed, write_image
from anonygan_jax.anonymise.results import KEPT, PIXELATED, REPLACED, FaceReport

BOX = (0, 0, 8, 8)


@pytest.mark.parametrize(
    ("faces", "word"),
    [
        ([FaceReport(KEPT, "x", BOX)], None),
        ([FaceReport(PIXELATED, "x", BOX)], "algorithmicallyEnhanced"),
        ([FaceReport(REPLACED, None, BOX, method="blur")], "algorithmicallyEnhanced"),
        ([FaceReport(REPLACED, None, BOX, method="warp")], "composite"),
        (
            [
                FaceReport(REPLACED, None, BOX, method="warp"),
                FaceReport(REPLACED, None, BOX, method="anonygan"),
            ],
            "compositeWithTrainedAlgorithmicMedia",
        ),
    ],
)
def test_the_mark_says_what_was_done(faces, word):
    address = mark.source_type(faces, {"warp", "anonygan"})
    assert address == (word and f"{mark.VOCABULARY}{word}")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif"])
def test_the_mark_is_in_the_file(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(np.full((32, 32, 3), 99, np.uint8)).save(path, xmp=b"<old/>")
    packet = mark.packet(mark.VOCABULARY + mark.GENERATED)
    out = tmp_path / f"b{suffix}"
    write_image(out, open_image(path), lambda _, x: Changed(x + 9, (), packet))
    with Image.open(out) as result:
        assert bytes(result.info["xmp"]).strip(b"\0") == packet
    write_image(out, open_image(path), lambda _, x: Changed(x + 9))
    assert b"<old/>" not in out.read_bytes()
