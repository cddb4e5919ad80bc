"""Cells of pixelated faces: as large where a face or region is partly outside."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonygan_jax.anonymise.fallback import FACE_MARGIN, pixelate_face
from anonygan_jax.anonymise.policy import Policy
from anonygan_jax.anonymise.regions import Region
from anonygan_jax.faces.face import Face
from anonygan_jax.methods.pixelate import NUM_CELLS

NOISE = np.random.default_rng(0).integers(0, 256, (50, 50, 3), np.uint8)

RAMP = np.tile((np.arange(600) * 255 // 600)[:, None, None], (1, 400, 3)).astype("u1")


def _runs(row: np.ndarray) -> list[int]:
    """Lengths of runs of equal values."""
    edges = np.flatnonzero(np.diff(row.astype(int))) + 1
    return np.diff([0, *edges, len(row)]).tolist()


@pytest.mark.parametrize("left", [100, -250, 340])
def test_cells_are_those_of_the_whole_face(left):
    photo = RAMP.copy()
    box = np.array([left, 150, left + 300, 450], np.float32)
    face = Face(np.zeros((0, 2), np.float32), box, 0.9)
    pixelate_face(photo, face)
    cell = 300 * (1 + 2 * FACE_MARGIN) / NUM_CELLS
    column = photo[150:450, 30 if left < 0 else 370, 0]
    assert max(_runs(column)) == pytest.approx(cell, abs=1)


def test_cells_of_a_tall_region_are_those_of_its_height():
    photo = RAMP.copy()
    Policy(regions=(Region.parse("hide:145,95,50,410"),)).pixelate_regions(photo)
    column = photo[95:505, 160, 0]
    assert max(_runs(column)) == pytest.approx(410 / NUM_CELLS, abs=1)


@given(
    left=st.integers(-20, 48),
    top=st.integers(-20, 48),
    width=st.integers(1, 70),
    height=st.integers(1, 70),
)
def test_no_cell_is_one_pixel(left, top, width, height):
    """Its mean would be that pixel."""
    photo = NOISE.copy()
    Region("hide", (left, top, left + width, top + height)).pixelate(photo)
    inside = photo[max(top, 0) : max(top + height, 0), max(left, 0) :][
        :, : max(left + width, 0) - max(left, 0)
    ]
    if inside.shape[0] * inside.shape[1] > 1:
        _, counts = np.unique(inside.reshape(-1, 3), axis=0, return_counts=True)
        assert counts.min() > 1


@pytest.mark.parametrize("side", [2, 6, 7])
def test_a_face_of_few_pixels_is_one_colour(side):
    photo = NOISE.copy()
    box = np.array([20, 20, 20 + side, 20 + side], np.float32)
    pixelate_face(photo, Face(np.zeros((0, 2), np.float32), box, 0.9))
    inside = photo[20 : 20 + side, 20 : 20 + side].reshape(-1, 3)
    assert len(np.unique(inside, axis=0)) == 1
