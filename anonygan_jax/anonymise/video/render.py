"""The second pass over a video: the faces of each frame are hidden as planned."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.errors import try_face
from anonygan_jax.anonymise.fallback import pixelate_face
from anonygan_jax.anonymise.replace import obfuscate, passes
from anonygan_jax.anonymise.results import KEPT, PIXELATED, REPLACED, TrackReport
from anonygan_jax.anonymise.video.analysis import Analysis, TrackPlan
from anonygan_jax.anonymise.video.detection_store import face_of
from anonygan_jax.anonymise.video.transcode import Frame
from anonygan_jax.faces.face import Face

VERIFY_EVERY = 30  # frames of a track from one verification to the next
REJECTED_FOR = 5  # frames for which a face is pixelated after a result is rejected


@dataclasses.dataclass
class Progress:
    """What was done with a track until now.

    Attributes:
      num_replaced, num_pixelated: frames.
      reason: why the face was pixelated last.
      nearest: least descriptor distance between source and result.
      pixelated_until: frame until which the face is pixelated after a rejection.
      verified: frame of the last verification.
    """

    num_replaced: int = 0
    num_pixelated: int = 0
    reason: str | None = None
    nearest: float | None = None
    pixelated_until: int = -1
    verified: int = -VERIFY_EVERY


class Renderer:
    """The second pass: hides the faces of one frame after the other.

    Attributes:
      num_frames: rendered until now.
    """

    def __init__(self, anonymiser: Anonymiser, analysis: Analysis) -> None:
        self._anonymiser = anonymiser
        self._plans = analysis.plans
        self._rows: Iterator[tuple[int, np.ndarray]] = analysis.store.by_frame()
        self._next = next(self._rows, None)
        self._progress = {number: Progress() for number in self._plans}
        self.num_frames = 0

    def __call__(self, item: Any) -> Any:
        """Returns the next frame with its faces hidden; other items unchanged."""
        if not isinstance(item, Frame):
            return item
        return dataclasses.replace(item, image=self.render(item.image))

    def render(self, image: np.ndarray) -> np.ndarray:
        """Returns the next frame's image, uint8 [H, W, 3], with its faces hidden."""
        number = self.num_frames
        self.num_frames += 1
        result = image.copy()
        while self._next and self._next[0] <= number:
            frame, rows = self._next
            faces = [(int(row["track"]), face_of(row)) for row in rows]
            for track, face in sorted(faces, key=self._can_be_replaced):
                if frame == number:
                    self._render_face(result, number, track, face)
            self._next = next(self._rows, None)
        self._anonymiser.policy.pixelate_regions(result)
        return result

    def _can_be_replaced(self, tracked: tuple[int, Face]) -> bool:
        """False for faces that must be pixelated; they come first, as in photos."""
        track, face = tracked
        return self._plans[track].reason is None and len(face.points_xy) > 0

    def _render_face(
        self, result: np.ndarray, number: int, track: int, face: Face
    ) -> None:
        """Hides one face of a frame in place, whatever fails."""
        plan, progress = self._plans[track], self._progress[track]
        if not plan.decision.hidden:
            return
        reason = plan.reason
        if not len(face.points_xy):
            reason = reason or "found, but without landmarks in some frames"
        if number <= progress.pixelated_until:
            reason = progress.reason
        if reason is None:
            rejected, failed = try_face(
                lambda: self._replace(result, number, plan, progress, face)
            )
            reason = rejected or failed
        if reason is None:
            progress.num_replaced += 1
            return
        progress.reason = reason
        progress.num_pixelated += 1
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
        replacer.apply(result, face, plan.replacement)
        if number - progress.verified < VERIFY_EVERY:
            return None
        progress.verified = number
        distance = replacer.distance(result, face, plan.source)
        nearest = progress.nearest
        progress.nearest = distance if nearest is None else min(nearest, distance)
        if passes(distance):
            return None
        progress.verified = number - VERIFY_EVERY  # the next result is verified, too
        progress.pixelated_until = number + REJECTED_FOR
        return "a result looked like the source"

    def reports(self) -> tuple[TrackReport, ...]:
        """Returns the report of each track, in order of their numbers."""
        return tuple(
            self._report(number, self._plans[number]) for number in sorted(self._plans)
        )

    def _report(self, number: int, plan: TrackPlan) -> TrackReport:
        """The report of one track."""
        progress, decision = self._progress[number], plan.decision
        replacement = plan.replacement
        method = replacement.method if replacement else self._anonymiser.methods[0]
        status = PIXELATED if progress.num_pixelated else REPLACED
        return TrackReport(
            status=status if decision.hidden else KEPT,
            reason=progress.reason if decision.hidden else decision.reason,
            box_xyxy=plan.box_xyxy,
            condition=replacement.condition.name if replacement else None,
            descriptor_distance=progress.nearest,
            reference_distance=decision.reference_distance,
            method=method.name if progress.num_replaced else None,
            track=number,
            first_frame=plan.first,
            last_frame=plan.last,
            num_replaced=progress.num_replaced,
            num_pixelated=progress.num_pixelated,
        )
