"""Composites as sources and as conditions of each other."""

import numpy as np
import pytest

from anonygan_jax.faces.masks import face_mask
from anonygan_jax.methods.method import Conditions, Faces

SIZE = (220, 180)


@pytest.fixture(scope="module")
def faces(embedded) -> Faces:
    """Three composites as sources."""
    chosen = [embedded[0], embedded[51], embedded[-1]]
    points = np.stack([face.points_xy for face in chosen])
    masks = face_mask(points, SIZE)
    return Faces(np.stack([face.image for face in chosen]), points, masks)


@pytest.fixture(scope="module")
def conditions(faces) -> Conditions:
    """The same people, each for the next."""
    return Conditions(np.roll(faces.images, 1, 0), np.roll(faces.points_xy, 1, 0))
