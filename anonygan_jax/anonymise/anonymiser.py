"""Photo in, photo out: every face is replaced, or pixelated if that fails."""

import numpy as np

from anonygan_jax.anonymise.conditions import make_selector, selector
from anonygan_jax.anonymise.conditions.memory import IdentityMemory
from anonygan_jax.anonymise.errors import NoFaceError, try_face
from anonygan_jax.anonymise.identity_check import IdentityCheck
from anonygan_jax.anonymise.known_faces import with_landmarks
from anonygan_jax.anonymise.planning import plan_faces, with_suggestions
from anonygan_jax.anonymise.policy import Decision, Policy
from anonygan_jax.anonymise.references import read_references
from anonygan_jax.anonymise.regions import Region
from anonygan_jax.anonymise.render import render_faces
from anonygan_jax.anonymise.replace import FaceReplacer, describe_source
from anonygan_jax.anonymise.results import (
    NO_LANDMARKS,
    AnonymisedPhoto,
    FoundFace,
    Plan,
)
from anonygan_jax.composites.bank import Bank
from anonygan_jax.detection import make_detector
from anonygan_jax.detection.detector import FaceDetector
from anonygan_jax.faces.face import Face
from anonygan_jax.io.worker_process import sign_of_life
from anonygan_jax.methods import DEFAULT_METHOD, EMBEDDED_CHECKPOINT, make_methods
from anonygan_jax.methods.method import Method, Replacer
from anonygan_jax.recognition.descriptor import Descriptor
from anonygan_jax.recognition.dlib import DlibDescriptor
from anonygan_jax.recognition.mobilefacenet import MobileFaceNetDescriptor
from anonygan_jax.recognition.table import DLIB, MOBILEFACENET

PERSON, FACE = "person", "face"  # what keeps one condition


class Anonymiser:
    """Replaces the faces of photos; may be called from several threads.

    A call consists of `find`, `plan` and `render`, which may run in different
    processes. `plan` remembers people: it must be called in the order of the photos.

    Attributes:
      methods: in order of preference.
      describe: dlib's descriptor, by which people are told apart.
      check: what recognisers see, and whether results look like their sources.
      replacer: replaces faces; None if the method is an obfuscator.
      memory: of the people in all photos so far; None with `consistent` "face".
    """

    def __init__(
        self,
        method: str | Method | tuple[Method, ...] = DEFAULT_METHOD,
        checkpoint: str = EMBEDDED_CHECKPOINT,
        conditions: str | Bank = selector.AUTO_CONDITION,
        consistent: str = PERSON,
        match_group: bool = True,
        detector: FaceDetector | None = None,
        keep: tuple[str, ...] = (),
        only: tuple[str, ...] = (),
        regions: tuple[Region, ...] = (),
    ) -> None:
        """Loads detector, methods and conditions.

        Args:
          method: one of `anonygan_jax.methods.METHODS`, a method, or several methods in
            order of preference: the next is tried if a result looks like the source.
          checkpoint: for the methods of `methods.TRAINED`, a training run's folder.
          conditions: "auto", a bank's folder, a photo, a folder of photos, or a bank.
            For "ciagan", "auto" or a class number.
          consistent: "person" if a person keeps one condition in all photos; "face" if
            every face gets another.
          match_group: whether conditions of the source's apparent gender and age are
            preferred.
          detector: from `anonygan_jax.detection.make_detector`; None for the default.
          keep: photos of people whose faces are kept.
          only: photos of the only people whose faces are hidden; all are without any.
          regions: parts of the image to search, to ignore or to pixelate.

        Raises:
          ValueError: the method is unknown, or several methods do not fit together.
          MissingPackage, BankError, ConditionError, PolicyError, CheckpointError,
            PhotoError: a package is missing, or a file cannot be used.
        """
        if isinstance(method, str):
            method = make_methods(method, checkpoint)
        self.methods = method if isinstance(method, tuple) else (method,)
        if len(self.methods) > 1 and not all(
            isinstance(m, Replacer) for m in self.methods
        ):
            raise ValueError("only methods that replace faces can be combined")
        self.detector = detector or make_detector()
        self.describe = DlibDescriptor()
        self.conditions: selector.ConditionSelector | None = None
        self.replacer: FaceReplacer | None = None
        replacers = tuple(m for m in self.methods if isinstance(m, Replacer))
        recognisers: dict[str, Descriptor] = {DLIB: self.describe}
        if replacers or keep or only:
            recognisers[MOBILEFACENET] = MobileFaceNetDescriptor()
        self.check = IdentityCheck(recognisers, self.detector.landmarker)
        if replacers:
            self.conditions = make_selector(
                replacers[0], conditions, match_group, self.detector, self.check
            )
            self.replacer = FaceReplacer(replacers, self.conditions, self.check)
        self.policy = Policy(
            read_references(keep, self.detector, self.check),
            read_references(only, self.detector, self.check),
            regions,
        )
        self.memory = IdentityMemory() if consistent == PERSON else None

    @property
    def remembers(self) -> bool:
        """Whether a photo's result depends on the photos before it."""
        return self.memory is not None and self.replacer is not None

    @property
    def needs_source(self) -> bool:
        """Whether attributes and descriptors of faces are needed."""
        return self.replacer is not None or self.policy.needs_identity

    def __call__(self, image_u8: np.ndarray, seed: str = "") -> AnonymisedPhoto:
        """Returns the photo with its faces hidden, and a report of each.

        Args:
          image_u8: uint8 [H, W, 3] RGB; unchanged.
          seed: of the selection of conditions.

        Raises:
          NoFaceError: no face was detected; the photo may still show one.
          RegionError: a region to hide or to search is outside the photo.
          TypeError: another kind of array.
        """
        if image_u8.dtype != np.uint8 or image_u8.ndim != 3 or image_u8.shape[2] != 3:
            got = f"{image_u8.dtype} {list(image_u8.shape)}"
            raise TypeError(f"image is {got}, wanted uint8 [H, W, 3] RGB")
        found = self.find(image_u8, seed=seed)
        return self.render(image_u8, self.plan(found, seed))

    def find(
        self, photo: np.ndarray, known: list[Face] | None = None, seed: str = ""
    ) -> list[FoundFace]:
        """Returns the faces of uint8 [H, W, 3] RGB, with descriptors if needed.

        Args:
          known: faces found by other means, with landmarks or boxes alone; None to
            search the photo.
          seed: as of `plan`.

        Raises:
          NoFaceError: there is neither a face nor a region to pixelate.
          RegionError: a region to hide or to search is outside the photo.
        """
        self.policy.check_regions(photo.shape)
        if known is None:
            faces = self.detector(photo)
        else:
            faces = with_landmarks(photo, known, self.detector)
        if not faces and not self.policy.pixelates_regions:
            height, width = photo.shape[:2]
            raise NoFaceError(f"no face found in {width}x{height} pixels")
        found = [self.examine(photo, face) for face in faces]
        if self.replacer is None or not self.remembers:
            return found
        decisions = self._decisions(found)
        return with_suggestions(photo, found, decisions, self.replacer, seed)

    def examine(self, photo: np.ndarray, face: Face) -> FoundFace:
        """Returns a detected face with attributes and descriptor if needed."""
        sign_of_life()
        if not len(face.points_xy):
            return FoundFace(face, reason=NO_LANDMARKS)
        if not self.needs_source:
            return FoundFace(face)
        points = face.points_xy
        found = try_face(lambda: describe_source(photo, points, self.check))
        return FoundFace(face, *found)

    def _decisions(self, found: list[FoundFace]) -> list[Decision]:
        """Whether each face of an image is hidden."""
        return self.policy(
            [one.face for one in found],
            [one.source.descriptors if one.source else None for one in found],
        )

    def plan(self, found: list[FoundFace], seed: str = "") -> list[Plan]:
        """Returns what is to be done with the faces of one photo; remembers people."""
        person_for = self.person_for if self.replacer else None
        return plan_faces(found, self._decisions(found), person_for, seed)

    def person_for(
        self,
        source: selector.Source,
        seed: str,
        in_same_frame: set[str],
        suggested: str | None = None,
    ) -> str | None:
        """Returns the person whose face a source gets; None if no one is remembered.

        Args:
          in_same_frame: people whose faces others in the image get.
          suggested: taken if the source was never met; None for the selector's choice.

        Raises:
          NoConditionError: every condition resembles the source.
        """
        if self.memory is None or self.conditions is None:
            return None
        return self.memory.condition_for(
            self.conditions, source, seed, in_same_frame, suggested
        )

    def render(self, photo: np.ndarray, plans: list[Plan]) -> AnonymisedPhoto:
        """Returns a copy of uint8 [H, W, 3] RGB with its faces hidden as planned."""
        result = photo.copy()
        reports = render_faces(result, plans, self.methods, self.replacer)
        self.policy.pixelate_regions(result)
        return AnonymisedPhoto(result, reports)
