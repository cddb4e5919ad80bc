"""Photo in, photo out: every face found is hidden, or covered if it cannot be."""

import dataclasses

import numpy as np

from anonygan_jax.anonymise.conditions.classes import ClassSelector
from anonygan_jax.anonymise.conditions.selector import (
    AUTO,
    BankSelector,
    ConditionSelector,
    IdentityMemory,
    NoConditionError,
    Source,
    load_conditions,
)
from anonygan_jax.anonymise.errors import try_face
from anonygan_jax.anonymise.fallback import pixelate_face
from anonygan_jax.anonymise.policy import Policy, Region, reference_descriptors
from anonygan_jax.anonymise.replace import FaceReplacer, describe_source
from anonygan_jax.anonymise.results import (
    KEPT,
    NO_LANDMARKS,
    PIXELATED,
    REPLACED,
    AnonymisedPhoto,
    FaceReport,
    FoundFace,
    Plan,
)
from anonygan_jax.composites.bank import Bank
from anonygan_jax.detection import Detection, FaceDetector, make_detector
from anonygan_jax.faces.face import Face
from anonygan_jax.methods import DEFAULT, EMBEDDED, Method, make_method
from anonygan_jax.methods.ciagan import CiaganMethod
from anonygan_jax.recognition.dlib import DlibDescriptor

PERSON, FACE = "person", "face"


class NoFaceError(ValueError):
    """A photo in which no face was found."""


class Anonymiser:
    """Hides the faces of photos; may be called from several threads.

    `find`, `plan` and `hide` are the steps of a call, for who wants to run them in
    different places: `plan` alone remembers people, and must be called in order.
    """

    def __init__(
        self,
        method: str | Method = DEFAULT,
        checkpoint: str = EMBEDDED,
        conditions: str | Bank = AUTO,
        consistent: str = PERSON,
        match_group: bool = True,
        detector: FaceDetector | None = None,
        keep: tuple[str, ...] = (),
        only: tuple[str, ...] = (),
        regions: tuple[Region, ...] = (),
    ) -> None:
        """Loads detector, method and conditions.

        Args:
          method: one of `anonygan_jax.methods.METHODS`, or a method.
          checkpoint: for the methods of `methods.TRAINED`, a training run's folder.
          conditions: "auto", a bank's folder, a photo, a folder of photos, or a bank:
            whose faces are put there. For "ciagan", "auto" or a person's number.
          consistent: "person", who keeps one face through all photos, or "face", which
            is drawn anew in each.
          match_group: prefer conditions of the source's apparent gender and age.
          finder: from `anonygan_jax.detection.make_detector`; None for the default.
          keep: photos of people who agreed to be seen.
          only: photos of the only people to hide; without any, everybody is.
          regions: parts of the picture to search, to leave alone or to cover.

        Raises:
          ValueError: the method is unknown.
          ImportError, BankError, ConditionError, PolicyError, CheckpointError,
            PhotoError: what is missing or unusable.
        """
        if isinstance(method, str):
            method = make_method(method, checkpoint)
        self.find_faces = detector or make_detector()
        self.describe = DlibDescriptor()
        self.conditions = self._chooser(method, conditions, match_group)
        self.replacer = FaceReplacer(
            method, self.conditions, self.describe, self.find_faces.landmarker
        )
        self.policy = Policy(
            reference_descriptors(keep, self.find_faces, self.describe),
            reference_descriptors(only, self.find_faces, self.describe),
            regions,
        )
        self._people = IdentityMemory() if consistent == PERSON else None

    def _chooser(
        self, method: Method, conditions: str | Bank, match_group: bool
    ) -> ConditionSelector:
        """Who chooses whose faces are put there."""
        if isinstance(method, CiaganMethod):
            return ClassSelector(conditions, method.num_people)
        if isinstance(conditions, str):
            conditions = load_conditions(conditions, self.find_faces, self.describe)
        return BankSelector(conditions, match_group)

    @property
    def remembers(self) -> bool:
        """Whether a photo's result depends on the photos before it."""
        return self._people is not None and self.replacer.method.uses_conditions

    @property
    def needs_source(self) -> bool:
        """Whether it must be known whom a face looks like."""
        return self.replacer.method.uses_conditions or self.policy.needs_identity

    def __call__(self, image_u8: np.ndarray, seed: str = "") -> AnonymisedPhoto:
        """Returns the photo with its faces hidden, and what happened to each.

        Args:
          image_u8: uint8 [H, W, 3] RGB; stays as it is.
          seed: which of the fitting conditions is drawn depends on it.

        Raises:
          NoFaceError: no face was found; the photo may still show one.
          TypeError: another kind of array.
        """
        if image_u8.dtype != np.uint8 or image_u8.ndim != 3 or image_u8.shape[2] != 3:
            raise TypeError(
                f"image is {image_u8.dtype} {list(image_u8.shape)}, "
                "wanted uint8 [H, W, 3] RGB"
            )
        return self.hide(image_u8, self.plan(self.find(image_u8), seed))

    def find(
        self, photo: np.ndarray, known: list[Face] | None = None
    ) -> list[FoundFace]:
        """Returns the faces of a photo, with what must be known of each.

        Args:
          photo: uint8 [H, W, 3] RGB.
          known: faces that were found by other means, with landmarks or boxes alone;
            None to search.

        Raises:
          NoFaceError: there is none, nor a region to cover.
        """
        if known is None:
            faces = self.find_faces(photo)
        else:
            faces = [
                face
                if len(face.points_xy)
                else self.find_faces.face(photo, Detection(face.box_xyxy, face.score))
                for face in known
            ]
        if not faces and not self.policy.pixelates_regions:
            height, width = photo.shape[:2]
            raise NoFaceError(f"no face found in {width}x{height} pixels")
        return [self.look(photo, face) for face in faces]

    def look(self, photo: np.ndarray, face: Face) -> FoundFace:
        """Returns a face with what must be known of it."""
        if not len(face.points_xy):
            return FoundFace(face, reason=NO_LANDMARKS)
        if not self.needs_source:
            return FoundFace(face)
        return FoundFace(
            face,
            *try_face(lambda: describe_source(photo, face.points_xy, self.describe)),
        )

    def plan(self, found: list[FoundFace], seed: str = "") -> list[Plan]:
        """Returns what is to be done with each face; remembers people."""
        plans: list[Plan] = []
        for number, face in enumerate(found):
            in_same_frame = {plan.person for plan in plans if plan.person}
            plans.append(self._plan(face, f"{seed}#{number}", in_same_frame))
        return plans

    def _plan(self, found: FoundFace, seed: str, in_same_frame: set[str]) -> Plan:
        """What is to be done with one face."""
        source = found.source
        decision = self.policy(found.face, source.descriptor if source else None)
        if not (decision.hidden and source and self.remembers):
            return Plan(found, decision, None, seed)
        try:
            return Plan(
                found, decision, self.person_for(source, seed, in_same_frame), seed
            )
        except NoConditionError as error:
            found = dataclasses.replace(found, reason=str(error))
            return Plan(found, decision, None, seed)

    def person_for(
        self, source: Source, seed: str, in_same_frame: set[str]
    ) -> str | None:
        """Returns whose face a source gets, and remembers it; None if nobody's.

        Args:
          source: what is known of the face.
          seed: of the draw.
          beside: whose faces were given to others in the same picture: nobody is
            there twice, unless no other face is left.

        Raises:
          NoConditionError: every condition resembles the source.
        """
        if self._people is None:
            return None
        person = self._people.recall(source.descriptor)
        if person is None or person in in_same_frame:
            try:
                chosen = self.conditions.select(source, seed, frozenset(in_same_frame))
            except NoConditionError:
                chosen = self.conditions.select(source, seed)
            person = chosen.person
            self._people.remember(source.descriptor, person)
        return person

    def hide(self, photo: np.ndarray, plans: list[Plan]) -> AnonymisedPhoto:
        """Returns the photo with its faces hidden as planned.

        Those that can only be pixelated come first: a cover is large, and shall not lie
        on a new face beside it. The surest face comes last: of one that is half hidden
        by another, the outline is a guess and may reach into it.
        """

        def last(number: int) -> tuple[bool, float]:
            found = plans[number].found
            return found.reason is None, found.face.score

        result = photo.copy()
        reports: dict[int, FaceReport] = {}
        for number in sorted(range(len(plans)), key=last):
            reports[number] = self._hide(result, plans[number])
        self.policy.pixelate_regions(result)
        return AnonymisedPhoto(result, tuple(reports[n] for n in range(len(plans))))

    def _hide(self, result: np.ndarray, plan: Plan) -> FaceReport:
        """One face hidden in place, whatever fails."""
        face, reason = plan.found.face, plan.found.reason
        box = tuple(int(v) for v in face.box_xyxy)
        apart = plan.decision.reference_distance
        if not plan.decision.hidden:
            return FaceReport(KEPT, plan.decision.reason, box, reference_distance=apart)
        done = None
        if reason is None:
            done, reason = try_face(
                lambda: self.replacer.hide(
                    result, face, plan.found.source, plan.person, plan.seed
                )
            )
        if done:
            name = done.condition.name if done.condition else None
            return FaceReport(
                *(REPLACED, None, box, name, done.descriptor_distance, apart),
                method=done.method.name,
            )
        pixelate_face(result, face)
        return FaceReport(PIXELATED, reason, box, reference_distance=apart)
