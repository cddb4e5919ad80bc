"""Pose distances against reference values of the official release."""

import golden_values
import numpy as np

from anonygan_jax.evaluation.collect import pose


def test_both_forms_equal_the_reference():
    expected = golden_values.load("pose_metric.npz")
    reference, prediction = expected["reference"], expected["prediction"]
    np.testing.assert_allclose(
        pose.pose_distance(reference, prediction),
        expected["l2_over_interocular"],
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        pose.pose_distance_l1(reference, prediction),
        expected["l1_over_l1_interocular"],
        rtol=1e-6,
    )
