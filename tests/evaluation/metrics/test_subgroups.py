"""Figures of some of the faces."""

import numpy as np
import pytest
from observations import observed
from skimage import color

from anonygan_jax.evaluation.collect.comparison import Comparison
from anonygan_jax.evaluation.collect.measurement import FolderMeasurement
from anonygan_jax.evaluation.metrics import subgroups
from anonygan_jax.evaluation.metrics.beside import OVER_FLOOR
from anonygan_jax.evaluation.metrics.gallery import Gallery
from anonygan_jax.evaluation.metrics.row import method_row
from anonygan_jax.evaluation.metrics.self_reidentification import own_key
from anonygan_jax.evaluation.report import table
from anonygan_jax.faces.masks import PAPER_POLYGON
from anonygan_jax.recognition.table import MOBILEFACENET


def _compared(distance: float, pose: float, detected: bool) -> Comparison:
    """A comparison of which only some fields matter."""
    errors = np.zeros(68, np.float32)
    return Comparison(
        detected, None, distance, pose, pose, errors, 0.0, 0.0, 0.0, 0.0, 0.1, 0.0, 1.0
    )


@pytest.fixture
def measurements(embedded) -> tuple[FolderMeasurement, FolderMeasurement]:
    """Three faces with their figures: two light, one dark."""
    skins = {"a": [80, 5, 15], "b": [75, 5, 15], "c": [35, 5, 15]}
    points = embedded[0].points_xy
    before = FolderMeasurement(
        observations={
            name: observed(
                points_xy=points,
                skin_lab=np.array(lab, float),
                descriptor=np.full(128, float(name == "b"), np.float32),
            )
            for name, lab in skins.items()
        },
        classes={"emotion": {"a": 3, "b": 6, "c": 3}},
    )
    distances = {"a": 0.8, "b": 0.5, "c": 0.7}
    known = {name: seen.descriptor for name, seen in before.observations.items()}
    before.embeddings[MOBILEFACENET] = known
    moved = np.eye(1, 128, dtype=np.float32)[0]
    after = FolderMeasurement(
        observations={name: observed(detected=name != "c") for name in skins},
        embeddings={
            MOBILEFACENET: {
                name: known[name] + far * moved for name, far in distances.items()
            }
        },
        comparisons={
            "a": _compared(0.8, 0.02, True),
            "b": _compared(0.5, 0.04, True),
            "c": _compared(0.7, np.nan, False),
        },
        classes={"emotion": {"a": 3, "b": 3, "c": 3}},
    )
    return before, after


@pytest.fixture
def gallery(measurements) -> dict[str, Gallery]:
    """A gallery whose recogniser accepts below 0.6."""
    made = Gallery(measurements[0].embeddings[MOBILEFACENET])
    made.thresholds = {1e-2: 0.6}
    return {MOBILEFACENET: made}


def test_faces_are_counted_where_they_belong(measurements, gallery):
    guess = {0.0: "young", 1.0: "old"}
    before, after = measurements
    row = method_row(
        *("made", before, after, gallery, before, PAPER_POLYGON, None),
        lambda descriptor: guess[float(descriptor[0])],
    )
    found = row.subgroups
    assert sorted(found) == [
        "apparently old",
        "apparently young",
        "skin brown or dark (ITA under 10°)",
        "skin light (ITA over 41°)",
        "yaw under 15°",
    ]
    light = found["skin light (ITA over 41°)"]
    assert light["detected_dlib"].count == 2
    assert light[own_key(MOBILEFACENET)].value == 0.5
    assert light[own_key(MOBILEFACENET) + OVER_FLOOR].value == -0.5
    assert light["pose_l2"].value == pytest.approx(0.03)
    assert light["emotion"].value == 0.5
    dark = found["skin brown or dark (ITA under 10°)"]
    assert dark["detected_dlib"].value == 0
    assert np.isnan(dark["pose_l2"].value)
    assert found["apparently old"][own_key(MOBILEFACENET)].value == 1
    assert found["yaw under 15°"]["detected_dlib"].count == 3


def test_without_guess_classifier_or_skin_there_are_fewer(measurements, gallery):
    before, after = measurements
    before.observations["c"] = observed(points_xy=before.observations["c"].points_xy)
    after.classes.clear()
    row = method_row("made", before, after, gallery, before, PAPER_POLYGON, None)
    found = row.subgroups
    assert sorted(found) == ["skin light (ITA over 41°)", "yaw under 15°"]
    measured = found["yaw under 15°"].keys()
    assert measured & set(table.BY_SUBGROUP) == {
        *("detected_dlib", "pose_l2", "mouth"),
        *(own_key(MOBILEFACENET), own_key(MOBILEFACENET) + OVER_FLOOR),
    }


def test_typology_angle_is_that_of_the_colour():
    for rgb in ([0.9, 0.75, 0.65], [0.45, 0.3, 0.22], [0.2, 0.13, 0.1]):
        lab = color.rgb2lab(np.array(rgb))
        angle = subgroups.individual_typology_angle(lab)
        assert np.tan(np.radians(angle)) == pytest.approx((lab[0] - 50) / lab[2])
        assert (angle > 0) == (lab[0] > 50)
