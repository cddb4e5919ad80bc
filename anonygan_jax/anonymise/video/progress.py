"""What was done with a track, frame by frame, and its report."""

import dataclasses

from anonygan_jax.anonymise.identity_check import Distances
from anonygan_jax.anonymise.proof import NOT_CHANGED
from anonygan_jax.anonymise.results import KEPT, PIXELATED, REPLACED, TrackReport
from anonygan_jax.anonymise.video.planning import TrackPlan

VERIFY_EVERY = 30  # frames of a track from one verification to the next


@dataclasses.dataclass
class Progress:
    """What was done with a track until now.

    Attributes:
      num_replaced, num_pixelated, num_kept: frames.
      reason: why the face was pixelated last.
      kept: why it was kept last.
      nearest: least distances between source and result, of the verified frames.
      floors: least distances between the source and itself under a black patch there.
      last_replaced, last_pixelated: frame in which it was, last.
      pixelated_until: frame until which the face is pixelated after a rejection.
      verified: frame of the last verification.
    """

    num_replaced: int = 0
    num_pixelated: int = 0
    num_kept: int = 0
    reason: str | None = None
    kept: str | None = None
    nearest: Distances | None = None
    floors: Distances | None = None
    last_replaced: int = -1
    last_pixelated: int = -1
    pixelated_until: int = -1
    verified: int = -VERIFY_EVERY

    def note_unchanged(self, number: int) -> None:
        """Counts a frame whose result showed the source as pixelated."""
        if self.last_replaced == number:
            self.num_replaced -= 1
            self.last_replaced = -1
            self.pixelate(number, NOT_CHANGED)

    def pixelate(self, number: int, reason: str | None) -> None:
        """Counts a frame in which the face is pixelated, here or there."""
        self.reason = reason
        self.num_pixelated += number != self.last_pixelated
        self.last_pixelated = number

    def report(self, number: int, plan: TrackPlan, method: str) -> TrackReport:
        """Returns the report of a track.

        Args:
          method: the name of the method, if the plan has no replacement.
        """
        replacement, decision = plan.replacement, plan.decision
        if replacement:
            method = replacement.method.name
        status, reason = REPLACED, None
        if self.num_pixelated:
            status, reason = PIXELATED, self.reason
        elif not self.num_replaced:
            status, reason = KEPT, self.kept
        return TrackReport(
            status=status,
            reason=reason,
            box_xyxy=plan.box_xyxy,
            condition=replacement.condition.name if replacement else None,
            distances=self.nearest,
            floors=self.floors,
            reference_distance=decision.reference_distance,
            method=method if self.num_replaced else None,
            track=number,
            first_frame=plan.first,
            last_frame=plan.last,
            num_replaced=self.num_replaced,
            num_pixelated=self.num_pixelated,
            num_kept=self.num_kept,
            lost=plan.lost if status != KEPT else (),
        )
