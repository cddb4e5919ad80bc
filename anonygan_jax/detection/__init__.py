"""Where faces are, and their 68 landmarks: detectors and landmarkers by name."""

from collections.abc import Callable

from anonygan_jax.detection.centerface import CenterFace
from anonygan_jax.detection.detector import (
    Detection,
    Detector,
    FaceDetector,
    Landmarker,
)
from anonygan_jax.detection.dlib import DlibCnn, DlibHog, DlibPredictor
from anonygan_jax.detection.face_mesh import FaceMesh
from anonygan_jax.detection.mtcnn import Mtcnn

__all__ = [
    "DEFAULT_DETECTORS",
    "DETECTORS",
    "LANDMARKERS",
    "MESH",
    "Detection",
    "Detector",
    "FaceDetector",
    "Landmarker",
    "make_detector",
]

CENTERFACE, MESH = "centerface", "mesh"
DETECTORS: dict[str, Callable[[], Detector]] = {
    CENTERFACE: CenterFace,
    "dlib": DlibHog,
    "dlib_cnn": DlibCnn,
    "mtcnn": Mtcnn,
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
    """Returns a finder of faces.

    Args:
      detectors: of DETECTORS; a face that any of them finds is found.
      landmarks: one of LANDMARKERS.
      threshold: of CenterFace's score; None for its own.
      min_face: pixels; faces whose box is smaller are passed over.
      use_tiles: search large photos in pieces, too, for small faces.

    Raises:
      ValueError: an unknown name, or a threshold outside 0 to 1.
      ImportError: what is missing, and how to install it.
    """
    unknown = (set(detectors) - set(DETECTORS)) | ({landmarks} - set(LANDMARKERS))
    if unknown or not detectors:
        raise ValueError(
            f"unknown detector or landmarks {', '.join(sorted(unknown)) or 'none'}; "
            f"detectors: {', '.join(DETECTORS)}; landmarks: {', '.join(LANDMARKERS)}"
        )
    made: list[Detector] = []
    for name in detectors:
        if name == CENTERFACE and threshold is not None:
            made.append(CenterFace(threshold))
        else:
            made.append(DETECTORS[name]())
    return FaceDetector(made, LANDMARKERS[landmarks](), min_face, use_tiles)
