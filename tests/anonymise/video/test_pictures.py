"""Changes are pasted into pictures of any format; all else stays bit for bit."""

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonygan_jax.anonymise.video.pictures import _planes as pictures_of
from anonygan_jax.anonymise.video.pictures import pasted, view_of

FORMATS = [
    *("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le"),
    *("yuva420p", "yuva444p10le", "gbrp", "gray", "yuv411p"),
]


def _picture(pix_fmt: str, height: int, width: int, matrix: int, values: int):
    """A picture of noise in a plane's own values."""
    rng = np.random.default_rng(height * width)
    low = rng.integers(60, 190, (-(-height // 8), -(-width // 8), 4), np.uint8)
    low = low.repeat(8, 0).repeat(8, 1)[:height, :width]
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(low), "rgba").reformat(
        format=pix_fmt, dst_colorspace=matrix, dst_color_range=values
    )
    frame.color_range = values
    return frame


def _planes(frame) -> list[np.ndarray]:
    """A copy of each component, by its own size."""
    found = []
    for kind in frame.format.components:
        plane = frame.planes[kind.plane]
        dtype = np.dtype(np.uint8 if kind.bits <= 8 else np.uint16)
        rows = np.frombuffer(bytes(plane), dtype)
        rows = rows.reshape(-1, plane.line_size // dtype.itemsize)
        found.append(rows[: kind.height, : kind.width].copy())
    return found


@settings(max_examples=60)
@given(
    st.sampled_from(FORMATS),
    st.tuples(st.integers(20, 60), st.integers(20, 60)),
    st.tuples(*[st.floats(0, 0.9)] * 2, *[st.floats(0.1, 1)] * 2),
    st.sampled_from([1, 5, 9]),
    st.sampled_from([1, 2]),
)
def test_a_pasted_part_is_new_and_the_rest_as_it_was(form, size, place, matrix, values):
    height, width = size
    picture = _picture(form, height, width, matrix, values)
    before, view = _planes(picture), view_of(picture)
    top, left = int(place[0] * height), int(place[1] * width)
    bottom = min(height, top + 1 + int(place[2] * height))
    right = min(width, left + 1 + int(place[3] * width))
    new = view.copy()
    new[top:bottom, left:right] = (40, 40, 40) if form == "gray" else (30, 120, 80)
    after = _planes(pasted(picture, view, new))
    for kind, old, now in zip(picture.format.components, before, after, strict=True):
        down, across = -(-height // old.shape[0]), -(-width // old.shape[1])
        inside = np.zeros(old.shape, bool)
        inside[
            top // down : -(-bottom // down), left // across : -(-right // across)
        ] = 1
        np.testing.assert_array_equal(now[~inside], old[~inside])
        if kind.is_alpha:
            np.testing.assert_array_equal(now, old)
    # In whole samples of chroma the new colour is there.
    whole = view_of(picture)[-(-top // 4) * 4 : bottom // 4 * 4]
    whole = whole[:, -(-left // 4) * 4 : right // 4 * 4][4:-4, 4:-4]
    wanted = 40 if form == "gray" else np.array([30, 120, 80])
    assert whole.size == 0 or np.abs(whole.astype(int) - wanted).max() <= 4


def test_the_same_is_pasted_each_time():
    """With several threads, FFmpeg's scaler errs in pictures such as this one."""
    results = set()
    for _ in range(300):
        picture = _picture("yuv420p10le", 29, 23, 1, 1)
        view = view_of(picture)
        new = view.copy()
        new[:, :12] = (30, 120, 80)
        planes = _planes(pasted(picture, view, new))
        results.add(b"".join(plane.tobytes() for plane in planes))
    assert len(results) == 1


def test_nothing_changed_is_the_same_picture():
    picture = _picture("yuv420p10le", 32, 48, 9, 1)
    before = _planes(picture)
    view = view_of(picture)
    assert pasted(picture, view, view.copy()) is picture
    for old, now in zip(before, _planes(picture), strict=True):
        np.testing.assert_array_equal(old, now)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le"])
def test_grey_pictures_stay_grey(pix_fmt):
    grey = np.random.default_rng(0).integers(0, 255, (40, 40, 1), np.uint8)
    frame = av.VideoFrame.from_ndarray(grey.repeat(3, 2), "rgb24")
    picture = frame.reformat(format=pix_fmt)
    view = view_of(picture)
    new = view.copy()
    new[8:24, 8:24] = (200, 80, 90)  # lips
    result = view_of(pasted(picture, view, new))[8:24, 8:24].astype(int)
    assert np.ptp(result, axis=-1).max() <= 2
    luma = 0.299 * 200 + 0.587 * 80 + 0.114 * 90
    assert abs(result.mean() - luma) < 3


def test_what_is_left_of_colour_in_a_grey_face_goes_with_it():
    picture = _picture("yuv420p", 32, 32, 5, 1)
    _, (_, blue), (_, red) = pictures_of(picture)
    blue[:], red[:] = 128, 128
    blue[4:12, 4:12], red[4:12, 4:12] = 126, 130  # a face, in sepia
    view = view_of(picture)
    new = view.copy()
    new[8:24, 8:24] = 90
    result = _planes(pasted(picture, view, new))
    assert set(np.unique(result[1])) == set(np.unique(result[2])) == {128}


def test_matrices_that_the_scaler_lacks_are_seen_and_pasted():
    picture = _picture("yuv444p", 32, 32, 5, 1)
    picture.colorspace = 14  # ICtCp
    view = view_of(picture)
    new = view.copy()
    new[8:24, 8:24] = (30, 120, 80)
    seen = view_of(pasted(picture, view, new))[10:22, 10:22].astype(int)
    assert np.abs(seen - [30, 120, 80]).max() <= 4
