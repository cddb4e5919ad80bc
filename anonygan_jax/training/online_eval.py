"""Measures of the averaged generator that take seconds, for use during training."""

import jax
import numpy as np

from anonygan_jax.data.batches import BatchLoader
from anonygan_jax.evaluation.collect.observation import FaceObserver, Observation
from anonygan_jax.evaluation.collect.pose import pose_distance
from anonygan_jax.models.compiler_options import compiler_options
from anonygan_jax.models.images import to_uint8
from anonygan_jax.recognition.thresholds import SAME_PERSON
from anonygan_jax.systems.system import System
from anonygan_jax.systems.train_state import TrainState


class OnlineEvaluation:
    """Detection, re-identification and pose of a fixed set of faces, by dlib.

    The faces are of held-out people, if the config holds some out.
    """

    def __init__(self, system: System, batches: BatchLoader, num_faces: int) -> None:
        """Samples the faces and measures the originals.

        Raises:
          ValueError: there are too few people, or dlib detects no face at this size.
        """
        self._observer = FaceObserver(use_mtcnn=False)
        held_out = batches.sampler.has_held_out
        self._batch = batches.different_identity_pairs(num_faces, held_out)
        self._originals: dict[int, Observation] = {}
        for number, source in enumerate(np.asarray(self._batch.source)):
            if original := self._observer.original(source):
                self._originals[number] = original
        if not self._originals:
            raise ValueError(
                "evaluate_every_x_steps is set, but dlib finds no face in the training "
                "pictures; they may be too small"
            )
        self._draw = jax.jit(
            lambda variables, batch: to_uint8(
                system.pictures(variables, batch)["composite"]
            ),
            compiler_options=compiler_options(),
        )

    def __call__(self, state: TrainState) -> dict[str, float]:
        """Returns measures of the averaged generator by name.

        Returns:
          evaluation/detected and evaluation/reidentified, shares of the faces;
          evaluation/pose_l2, see `pose_distance`, where any face is detected.
        """
        drawn = jax.device_get(self._draw(state.generator_variables(), self._batch))
        detected, reidentified, poses = [], [], []
        for number, original in self._originals.items():
            result = self._observer.result(drawn[number], original)
            distance = np.linalg.norm(result.descriptor - original.descriptor)
            detected.append(result.detected)
            reidentified.append(distance < SAME_PERSON)
            if result.detected:
                poses.append(pose_distance(original.points_xy, result.points_xy))
        values = {
            "evaluation/detected": float(np.mean(detected)),
            "evaluation/reidentified": float(np.mean(reidentified)),
        }
        if poses:
            values["evaluation/pose_l2"] = float(np.mean(poses))
        return values
