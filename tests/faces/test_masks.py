"""Masks against the release's and against OpenCV's filled polygon."""

import cv2
import numpy as np
import pytest
from golden_values import load
from hypothesis import given, settings
from hypothesis import strategies as st

from anonygan_jax.faces.masks import (
    FACE_CONTOUR,
    PAPER_POLYGON,
    face_mask,
    mask_polygon,
)
from anonygan_jax.models.face_mask import face_mask as device_mask

SIZE = (218, 178)


@pytest.mark.parametrize("number", range(6))
def test_agrees_with_the_release(number):
    golden = load("geometry.npz")
    expected = np.unpackbits(golden[f"mask_{number}"])[: SIZE[0] * SIZE[1]].reshape(
        SIZE
    )
    points = golden[f"landmarks_xy_{number}"][None].astype(np.float32)
    mask = face_mask(points, SIZE)[0]
    assert (mask == expected).mean() >= 0.995


@settings(max_examples=20)
@given(
    seed=st.integers(0, 10_000),
    shift=st.integers(-150, 150),
    region=st.sampled_from([PAPER_POLYGON, FACE_CONTOUR]),
)
def test_agrees_with_opencv_wherever_the_face_lies(seed, shift, region):
    rng = np.random.default_rng(seed)
    angles = np.linspace(np.pi, 0, 17)
    points = np.zeros((1, 68, 2), np.float32)
    points[0, :17] = 89 + 60 * np.stack([-np.cos(-angles), np.sin(angles)], -1)
    points[0, 17:27] = np.stack([np.linspace(40, 140, 10), np.full(10, 45)], -1)
    points[0, 36:48] = 89, 60
    points = np.rint(points + rng.normal(0, 4, points.shape) + shift).astype(np.float32)
    polygon = np.rint(mask_polygon(points, region)[0]).astype(np.int32)
    expected = cv2.fillPoly(np.zeros(SIZE, np.uint8), [polygon], 1)
    mask = face_mask(points, SIZE, region)[0]
    assert (mask == expected).mean() >= 0.985 + 0.01 * (region == PAPER_POLYGON)


def test_an_outline_has_jaw_and_brows_without_the_temples_corners(embedded):
    size = embedded[0].image.shape[:2]
    points = np.stack([face.points_xy for face in embedded[::8]])
    outline, polygon = (
        face_mask(points, size, region) > 0 for region in (FACE_CONTOUR, PAPER_POLYGON)
    )
    for face, inside, wider in zip(points, outline, polygon, strict=True):
        x, y = np.rint(face).astype(int).T
        assert inside[y, x].all()
        corners = face[[0, 16], 0] + [2, -2], face[[19, 24], 1] + 2
        x, y = np.rint(corners).astype(int)
        assert wider[y, x].all()
        assert not inside[y, x].any()
        x = np.rint(face[[19, 24], 0]).astype(int)
        assert (inside[:, x].argmax(0) < wider[:, x].argmax(0)).all()  # first rows


@settings(max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    spread=st.floats(0, 200),
    region=st.sampled_from([PAPER_POLYGON, FACE_CONTOUR]),
)
def test_the_device_computes_the_same_mask(seed, spread, region):
    rng = np.random.default_rng(seed)
    points = rng.normal((20, 30), spread, (2, 68, 2)).astype(np.float32)
    mask = face_mask(points, (60, 48), region)
    on_device = np.asarray(device_mask(points, (60, 48), region))
    # A pixel whose distance from an edge is half a pixel may be rounded either way.
    assert (mask != on_device[..., 0]).sum() <= 2
