"""Observations made up for tests."""

import numpy as np

from anonygan_jax.evaluation.collect.observation import Observation


def observed(**fields: np.ndarray) -> Observation:
    """An observation of which only some fields matter."""
    values = {
        "size": (220, 180),
        "points_xy": np.zeros((68, 2), np.float32),
        "box_xyxy": np.array([0.0, 0, 1, 1]),
        "detected": True,
        "detected_by_mtcnn": None,
        "mtcnn_box": None,
        "descriptor": np.zeros(128, np.float32),
        "face_boxes": np.zeros((0, 4)),
        "skin_lab": np.full(3, np.nan),
    }
    return Observation(**(values | fields))
