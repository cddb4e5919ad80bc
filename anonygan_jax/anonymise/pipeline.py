"""Photo in, photo out: every face found is replaced, or covered if it cannot be."""

import dataclasses
import importlib.resources
import pathlib

import cv2
import jax
import jax.numpy as jnp
import numpy as np

from anonygan_jax import checkpointing
from anonygan_jax.anonymise.conditions import load_conditions
from anonygan_jax.data import crops
from anonygan_jax.data.images import image_size, to_float, to_uint8
from anonygan_jax.data.landmarks import DlibLandmarks, Face
from anonygan_jax.data.masks import face_mask
from anonygan_jax.models.config import ModelConfig
from anonygan_jax.models.generator import Generator

EMBEDDED = "embedded"  # the checkpoint that stands for the package's own
COVER_CELLS = 6  # cells across a covered face
COVER_MARGIN = 0.3  # of the face's size, added on each side of what is covered


class NoFaceError(ValueError):
    """A photo in which no face was found."""


class GenerationError(ValueError):
    """The generator's output for a face cannot be shown."""


@dataclasses.dataclass(frozen=True)
class FaceReport:
    """What happened to one face.

    Attributes:
      box_xyxy: where it is, pixels.
      condition: name of the face put there; None where it was covered.
      covered_because: why it was covered; None where it was replaced.
    """

    box_xyxy: tuple[int, ...]
    condition: str | None
    covered_because: str | None


class Anonymiser:
    """Replaces the faces of photos with one generator and a set of conditions."""

    def __init__(self, checkpoint: str, condition: str) -> None:
        """Loads detector, generator and conditions.

        Args:
          checkpoint: a training run's folder, an export of it, or "embedded".
          condition: "auto" or the path of a photo.

        Raises:
          CheckpointError, LandmarksUnavailable, ConditionError, PhotoError: what is
            missing or unusable.
        """
        config, self._variables, self.step = checkpointing.load_generator(
            _checkpoint_path(checkpoint)
        )
        self._size: tuple[int, int] = tuple(config["data"]["image_size"])
        self._model = ModelConfig(**config["model"])
        self._detector = DlibLandmarks()
        self._conditions = load_conditions(condition, self._size, self._detector)
        generator = self._model.generator()
        self._generate = jax.jit(lambda *inputs: self._replace(generator, *inputs))

    def __call__(
        self, photo: np.ndarray, seed: str = ""
    ) -> tuple[np.ndarray, list[FaceReport]]:
        """Returns the photo with all its faces replaced, and what happened to each.

        Args:
          photo: uint8 [H, W, 3] RGB.
          seed: which of the fitting conditions is drawn depends on it.

        Raises:
          NoFaceError: no face was found; the photo may still show one.
        """
        faces = self._detector.detect(photo, num_upsamples=1)
        if not faces:
            height, width = photo.shape[:2]
            raise NoFaceError(f"no face found in {width}x{height} pixels")
        result, reports = photo.copy(), []
        for number, face in enumerate(faces):
            box = tuple(int(v) for v in face.box_xyxy)
            try:
                result, name = self._replace_face(
                    photo, result, face, f"{seed}#{number}"
                )
                reports.append(FaceReport(box, name, None))
            except (crops.DegenerateFaceError, GenerationError) as error:
                cover_face(result, face)
                reports.append(FaceReport(box, None, str(error)))
        return result, reports

    def _replace_face(
        self, photo: np.ndarray, result: np.ndarray, face: Face, seed: str
    ) -> tuple[np.ndarray, str]:
        """One face of `photo` replaced in `result`, and the condition's name."""
        matrix = crops.celeba_transform(face.points_xy, self._size)
        source = crops.crop_photo(photo, matrix, self._size)
        points = crops.transform_points(matrix, face.points_xy)
        chosen = self._conditions.choose(points, seed)
        condition, condition_points = self._conditions.get(chosen)
        batch = (condition, source, condition_points, points)
        output, mask, finite = jax.device_get(
            self._generate(self._variables, *(jnp.asarray(x)[None] for x in batch))
        )
        if not finite:
            raise GenerationError("the generator gave numbers that are not finite")
        alpha = feather(mask[0, ..., 0])
        result = crops.paste_crop(result, output[0], alpha, matrix)
        return result, self._conditions.names[chosen]

    def _replace(
        self,
        generator: Generator,
        variables: dict,
        condition: jax.Array,
        source: jax.Array,
        condition_points: jax.Array,
        source_points: jax.Array,
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Output uint8 [1, H, W, 3], mask float32 [1, H, W, 1], all finite?"""
        mask = face_mask(source_points, image_size(source))
        output = generator.apply(
            variables,
            to_float(condition),
            to_float(source) * (1 - mask),
            self._model.select_points(condition_points),
            self._model.select_points(source_points),
        )
        assert isinstance(output, jax.Array)
        return to_uint8(output), mask, jnp.isfinite(output).all()


def feather(mask: np.ndarray) -> np.ndarray:
    """Returns float32 [H, W]: 1 all over the mask, falling to 0 outside it.

    The fall lies outside, so that nothing of the hidden face shines through.
    """
    wider = cv2.dilate(mask.astype(np.float32), np.ones((5, 5), np.uint8))
    return np.maximum(cv2.GaussianBlur(wider, (0, 0), 1.0), mask)


def cover_face(photo: np.ndarray, face: Face) -> None:
    """Pixelates a face in place, box and landmarks with a margin."""
    finite = face.points_xy[np.isfinite(face.points_xy).all(-1)]
    corners = np.concatenate([finite, face.box_xyxy.reshape(2, 2)])
    low, high = corners.min(0), corners.max(0)
    margin = COVER_MARGIN * (high - low)
    limit = np.array(photo.shape[1::-1])
    left, top = np.clip(low - margin, 0, limit).astype(int)
    right, bottom = np.clip(np.ceil(high + margin) + 1, 0, limit).astype(int)
    region = photo[top:bottom, left:right]
    if region.size:
        rows = max(1, round(COVER_CELLS * region.shape[0] / region.shape[1]))
        cells = cv2.resize(region, (COVER_CELLS, rows), interpolation=cv2.INTER_AREA)
        size = (region.shape[1], region.shape[0])
        region[:] = cv2.resize(cells, size, interpolation=cv2.INTER_NEAREST)


def _checkpoint_path(checkpoint: str) -> pathlib.Path:
    """A folder's path, or that of the embedded checkpoint."""
    if checkpoint == EMBEDDED:
        assets = importlib.resources.files("anonygan_jax") / "assets"
        return pathlib.Path(str(assets / "checkpoint"))
    return pathlib.Path(checkpoint)
