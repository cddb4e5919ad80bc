"""Face detectors and landmarkers by name."""

from collections.abc import Callable

from anonygan_jax.detection.centerface import CenterFace
from anonygan_jax.detection.detector import FaceDetector, Landmarker
from anonygan_jax.detection.dlib import DlibCnn, DlibHog, DlibPredictor
from anonygan_jax.detection.face_mesh import FaceMesh
from anonygan_jax.detection.mtcnn import Mtcnn
from anonygan_jax.detection.searches import Detector


def _with_own_threshold(make: Callable[[], Detector]) -> Callable[..., Detector]:
    """A detector for `DETECTORS` that has no parameter for a threshold."""
    return lambda threshold=None: make()


CENTERFACE, MESH = "centerface", "mesh"
# Each is called with the threshold of its score, None for its own.
DETECTORS: dict[str, Callable[..., Detector]] = {
    CENTERFACE: CenterFace,
    "dlib": _with_own_threshold(DlibHog),
    "dlib_cnn": _with_own_threshold(DlibCnn),
    "mtcnn": _with_own_threshold(Mtcnn),
}
LANDMARKERS: dict[str, Callable[[], Landmarker]] = {
    MESH: FaceMesh,
    "dlib": DlibPredictor,
}
DEFAULT_DETECTORS = (CENTERFACE,)


def make_detector(
    detectors: tuple[str, ...] = DEFAULT_DETECTORS,
    landmarks: str = MESH,
    threshold: float | None = None,
    min_face: float = 0,
    use_tiles: bool = False,
) -> FaceDetector:
    """Returns a face detector.

    Args:
      detectors: names of DETECTORS; the result is the union of their faces.
      landmarks: a name of LANDMARKERS.
      threshold: of the score, 0 to 1, for detectors that have one (CenterFace); None
        for its own.
      min_face: pixels; smaller faces are ignored, by the longer side of the box.
      use_tiles: search large photos in tiles, too, for small faces.

    Raises:
      ValueError: an unknown name, or a threshold outside 0 to 1.
      MissingPackage: MTCNN is wanted and missing.
    """
    unknown = (set(detectors) - set(DETECTORS)) | ({landmarks} - set(LANDMARKERS))
    if unknown or not detectors:
        raise ValueError(
            f"unknown detector or landmarks {', '.join(sorted(unknown)) or 'none'}; "
            f"detectors: {', '.join(DETECTORS)}; landmarks: {', '.join(LANDMARKERS)}"
        )
    made = [DETECTORS[name](threshold) for name in detectors]
    return FaceDetector(made, LANDMARKERS[landmarks](), min_face, use_tiles)
