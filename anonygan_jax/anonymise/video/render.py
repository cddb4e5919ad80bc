"""The second pass over a video: the faces of each frame are hidden as planned."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.errors import try_face
from anonygan_jax.anonymise.fallback import pixelate_face
from anonygan_jax.anonymise.identity_check import least, passes
from anonygan_jax.anonymise.proof import NOT_CHANGED, is_changed
from anonygan_jax.anonymise.references import is_clear
from anonygan_jax.anonymise.replace import obfuscate
from anonygan_jax.anonymise.results import PIXELATED, TrackReport
from anonygan_jax.anonymise.video.detection_store import (
    NO_TRACK,
    DetectionStore,
    face_of,
)
from anonygan_jax.anonymise.video.planning import TrackPlan
from anonygan_jax.anonymise.video.progress import VERIFY_EVERY, Progress
from anonygan_jax.anonymise.video.source import Frame
from anonygan_jax.anonymise.video.tracking import SAME_PLACE
from anonygan_jax.detection.boxes import centres_overlap, iou
from anonygan_jax.faces.face import Face

NOT_CLEAR = "agreed to be seen, but too small or overlapped in some frames"
NO_LANDMARKS_HERE = "found, but without landmarks in some frames"
REJECTED_FOR = 5  # frames for which a face is pixelated after a result is rejected


class Renderer:
    """The second pass: hides the faces of one frame after the other.

    Attributes:
      num_frames: rendered until now.
    """

    def __init__(
        self,
        anonymiser: Anonymiser,
        plans: dict[int, TrackPlan],
        store: DetectionStore,
    ) -> None:
        """Takes the plans of tracks by number, and the faces of all frames."""
        self._anonymiser, self._plans = anonymiser, plans
        self._rows: Iterator[tuple[int, np.ndarray]] = store.by_frame()
        self._next = next(self._rows, None)
        self._progress = {number: Progress() for number in self._plans}
        self._unowned: list[tuple[int, Face]] = []  # pixelated detections of no track
        self.num_frames = 0

    def __call__(self, item: Any) -> Any:
        """Returns the next frame with its faces hidden; other items unchanged."""
        if not isinstance(item, Frame):
            return item
        return dataclasses.replace(item, rendered=self.render(item.image))

    def render(self, image: np.ndarray) -> np.ndarray:
        """Returns the next frame's image, uint8 [H, W, 3], with its faces hidden."""
        number = self.num_frames
        self.num_frames += 1
        result = image.copy()
        while self._next and self._next[0] <= number:
            frame, rows = self._next
            if frame == number:
                self._render_rows(image, result, number, rows)
            self._next = next(self._rows, None)
        self._anonymiser.policy.pixelate_regions(result)
        return result

    def _render_rows(
        self, image: np.ndarray, result: np.ndarray, number: int, rows: np.ndarray
    ) -> None:
        """Hides the faces of a frame in place, and verifies that all are changed."""
        tracked = rows[rows["track"] != NO_TRACK]
        faces = [(int(row["track"]), face_of(row)) for row in tracked]
        hidden = []
        for track, face in faces:
            others = [other for known, other in faces if known != track]
            if not self._keep(track, face, others):
                hidden.append((self._reason(number, track, face), track, face))
        # Faces that must be pixelated come first, as in photos.
        for reason, track, face in sorted(hidden, key=lambda one: one[0] is None):
            self._hide(result, number, track, face, reason)
        for row in rows[rows["track"] == NO_TRACK]:
            found, roll = face_of(row), float(row["roll"])
            owner, is_its_own = self._nearest(found, faces)
            # The box of somebody behind a kept face has its centre in that, too.
            if self._kept(owner if is_its_own else None, found):
                continue
            if not is_changed(image, result, found.box_xyxy, roll):
                pixelate_face(result, found)
                if owner is None or not self._plans[owner].decision.hidden:
                    self._unowned.append((number, found))
                else:
                    self._progress[owner].note_unchanged(number)

    def _nearest(
        self, found: Face, faces: list[tuple[int, Face]]
    ) -> tuple[int | None, bool]:
        """The track of the nearest face that a detection overlaps; None without any.

        And whether it is that face's own box.
        """
        centre = found.box_xyxy[:2] + found.box_xyxy[2:]
        apart = [
            (
                float(np.linalg.norm(face.box_xyxy[:2] + face.box_xyxy[2:] - centre)),
                track,
                iou(face.box_xyxy, found.box_xyxy) > SAME_PLACE,
            )
            for track, face in faces
            if centres_overlap(face.box_xyxy, found.box_xyxy)
        ]
        return min(apart)[1:] if apart else (None, False)

    def _kept(self, track: int | None, face: Face) -> bool:
        """Whether a face is kept in this frame: by its place, or as who it is."""
        if self._anonymiser.policy.of_region(face):
            return True
        return track is not None and not self._plans[track].decision.hidden

    def _keep(self, track: int, face: Face, others: list[Face]) -> bool:
        """Whether a face of a frame with others is kept; counts it if it is."""
        plan, progress = self._plans[track], self._progress[track]
        in_region = self._anonymiser.policy.of_region(face)
        if not in_region and (plan.decision.hidden or not is_clear(face, others)):
            return False
        progress.num_kept += 1
        progress.kept = (in_region or plan.decision).reason
        return True

    def _reason(self, number: int, track: int, face: Face) -> str | None:
        """Why a face can only be pixelated in a frame; None if it can be replaced."""
        plan, progress = self._plans[track], self._progress[track]
        if number <= progress.pixelated_until:
            return progress.reason
        if not plan.decision.hidden:
            return NOT_CLEAR
        return plan.reason or (None if len(face.points_xy) else NO_LANDMARKS_HERE)

    def _hide(
        self,
        result: np.ndarray,
        number: int,
        track: int,
        face: Face,
        reason: str | None,
    ) -> None:
        """Hides a face in place whatever fails: pixelates it if there is a reason."""
        plan, progress = self._plans[track], self._progress[track]
        if reason is None:
            rejected, failed = try_face(
                lambda: self._replace(result, number, plan, progress, face)
            )
            reason = rejected or failed
        if reason is None:
            progress.num_replaced += 1
            progress.last_replaced = number
            return
        progress.pixelate(number, reason)
        pixelate_face(result, face)

    def _replace(
        self,
        result: np.ndarray,
        number: int,
        plan: TrackPlan,
        progress: Progress,
        face: Face,
    ) -> str | None:
        """Replaces a face in place; the reason if the result is rejected, or None."""
        replacer = self._anonymiser.replacer
        if replacer is None or plan.replacement is None or plan.source is None:
            obfuscate(result, face, self._anonymiser.methods[0])
            return None
        if number - progress.verified < VERIFY_EVERY:
            replacer.apply(result, face, plan.replacement)
            return None
        floors = replacer.floors(result, face, plan.source)
        replacer.apply(result, face, plan.replacement)
        found = replacer.check.distances(result, face, plan.source.descriptors)
        progress.nearest = least([found, progress.nearest or found])
        progress.floors = least([floors, progress.floors or floors])
        if passes(found, floors):
            progress.verified = number
            return None
        progress.pixelated_until = number + REJECTED_FOR
        return "a result looked like the source"

    def reports(self) -> tuple[TrackReport, ...]:
        """Returns the report of each track, in order of their numbers.

        Detections of no track that were pixelated are one more, of number -1.
        """
        method = self._anonymiser.methods[0].name
        tracks = tuple(
            self._progress[number].report(number, plan, method)
            for number, plan in sorted(self._plans.items())
        )
        if not self._unowned:
            return tracks
        frames = [number for number, _ in self._unowned]
        unowned = TrackReport(
            PIXELATED,
            NOT_CHANGED,
            tuple(int(v) for v in self._unowned[-1][1].box_xyxy),
            track=NO_TRACK,
            first_frame=frames[0],
            last_frame=frames[-1],
            num_pixelated=len(set(frames)),
        )
        return (*tracks, unowned)
