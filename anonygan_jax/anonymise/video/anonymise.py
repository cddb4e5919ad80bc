"""Video in, video out, in two passes: look at all frames, then hide."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from anonygan_jax.anonymise.anonymiser import Anonymiser, NoFaceError
from anonygan_jax.anonymise.errors import try_face
from anonygan_jax.anonymise.fallback import pixelate_face
from anonygan_jax.anonymise.replace import MIN_RESULT_DISTANCE
from anonygan_jax.anonymise.results import KEPT, PIXELATED, REPLACED, TrackReport
from anonygan_jax.anonymise.video.analysis import SEARCH_EVERY, Analysis, TrackPlan
from anonygan_jax.anonymise.video.detection_store import face_of
from anonygan_jax.anonymise.video.transcode import Frame, Video, VideoError, transcode
from anonygan_jax.faces.face import Face
from anonygan_jax.io.prefetch import in_thread

VERIFY_EVERY = 30  # frames of a track from one comparison with the source to the next
NUM_AHEAD = 8  # frames decoded before they are hidden, and hidden before encoded
VERIFY_AGAIN = 5  # frames for which a face is pixelated after it looked like the source


@dataclasses.dataclass(frozen=True)
class VideoResult:
    """What became of a video.

    Attributes:
      num_frames: written.
      num_broken: packets that could not be decoded.
      tracks: what happened to each face.
    """

    num_frames: int
    num_broken: int
    tracks: tuple[TrackReport, ...]


def anonymise_video(
    anonymiser: Anonymiser,
    path: pathlib.Path,
    output: pathlib.Path,
    seed: str = "",
    search_every: int = SEARCH_EVERY,
    keep_audio: bool = True,
    kept_metadata: tuple[str, ...] = (),
    known: dict[int, list[Face]] | None = None,
    on_analysis: Callable[[Analysis], None] = lambda _: None,
    is_strict: bool = False,
) -> VideoResult:
    """Writes a video with its faces hidden, whole or not at all.

    Args:
      anonymiser: how.
      path: any container that FFmpeg reads.
      output: .mp4 file to write.
      seed: of the choice of conditions.
      search_every: frames from one search for faces to the next; in between, faces
        are followed.
      keep_audio: whether the sound is kept.
      kept_metadata: groups, see `metadata.GROUPS`.
      known: boxes of faces by frame; None to search.
      on_analysis: called with what was found, before anything is written.
      is_strict: whether a face that must be pixelated fails the video.

    Raises:
      VideoError: the video cannot be read.
      NoFaceError: there is no face in it; nothing is written.
      OSError: the file cannot be written.
    """
    video = Video(path)
    analysis = Analysis(anonymiser, seed, search_every, known)
    try:
        analysis.run(video)
        if not analysis.num_frames:
            raise VideoError(f"{path}: not one frame could be decoded")
        on_analysis(analysis)
        if not analysis.plans and not anonymiser.policy.pixelates_regions:
            raise NoFaceError(f"no face found in {analysis.num_frames} frames")
        renderer = Renderer(anonymiser, analysis)
        with transcode(video, output, keep_audio, kept_metadata) as (items, writer):
            # Decoding, hiding and encoding go on side by side.
            hidden = map(renderer, in_thread(items, NUM_AHEAD))
            for item in in_thread(hidden, NUM_AHEAD):
                if isinstance(item, Frame):
                    writer.frame(item.image, item.pts)
                else:
                    writer.sound(item)
            if renderer.num_frames != analysis.num_frames:
                raise VideoError(
                    f"{path}: {analysis.num_frames} frames at first, "
                    f"{renderer.num_frames} when read again"
                )
            reports = renderer.reports()
            pixelated = [t.reason for t in reports if t.status == PIXELATED]
            if is_strict and pixelated:
                raise VideoError(f"{path}: a face would be pixelated ({pixelated[0]})")
        return VideoResult(renderer.num_frames, video.num_broken, reports)
    finally:
        analysis.store.close()


def remember_people(
    anonymiser: Anonymiser,
    path: pathlib.Path,
    seed: str,
    search_every: int = SEARCH_EVERY,
    known: dict[int, list[Face]] | None = None,
) -> None:
    """Looks at a video that was anonymised before, so that its people are known.

    Args:
      anonymiser: will know whose face each of them got.
      path: of the video.
      seed, search_every, known: with which it was anonymised.

    Raises:
      VideoError: the video cannot be read.
    """
    analysis = Analysis(anonymiser, seed, search_every, known)
    try:
        analysis.run(Video(path))
    finally:
        analysis.store.close()


@dataclasses.dataclass
class Progress:
    """What happened to a track so far."""

    num_replaced: int = 0
    num_pixelated: int = 0
    reason: str | None = None
    nearest: float | None = None
    pixelated_until: int = -1
    verified: int = -VERIFY_EVERY


class Renderer:
    """The second pass: hides the faces of one frame after the other."""

    def __init__(self, anonymiser: Anonymiser, analysis: Analysis) -> None:
        """Keeps what was found."""
        self._anonymiser = anonymiser
        self._plans = analysis.plans
        self._rows: Iterator[tuple[int, np.ndarray]] = analysis.store.by_frame()
        self._next = next(self._rows, None)
        self._progress = {number: Progress() for number in self._plans}
        self.num_frames = 0

    def __call__(self, item: Any) -> Any:
        """Returns the next frame with its faces hidden; anything else as it is."""
        if not isinstance(item, Frame):
            return item
        return dataclasses.replace(item, image=self.hide(item.image))

    def hide(self, image: np.ndarray) -> np.ndarray:
        """Returns the next frame's picture, uint8 [H, W, 3], with its faces hidden."""
        number = self.num_frames
        self.num_frames += 1
        result = image.copy()
        while self._next and self._next[0] <= number:
            frame, rows = self._next
            faces = [(int(row["track"]), face_of(row)) for row in rows]
            for track, face in sorted(faces, key=self._can_be_replaced):
                if frame == number:
                    self._hide(result, number, track, face)
            self._next = next(self._rows, None)
        self._anonymiser.policy.pixelate_regions(result)
        return result

    def _can_be_replaced(self, tracked: tuple[int, Face]) -> bool:
        """Whether a face need not be covered; covers come first, as in photos."""
        track, face = tracked
        return self._plans[track].reason is None and len(face.points_xy) > 0

    def _hide(self, result: np.ndarray, number: int, track: int, face: Face) -> None:
        """One face of a frame, in place, whatever fails."""
        plan, progress = self._plans[track], self._progress[track]
        if not plan.decision.hidden:
            return
        reason = plan.reason
        if not len(face.points_xy):
            reason = reason or "found, but without landmarks in some frames"
        if number <= progress.pixelated_until:
            reason = progress.reason
        if reason is None:
            told, failed = try_face(
                lambda: self._replace(result, number, plan, progress, face)
            )
            reason = told or failed
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
        """Hides a face by the method; why it must be pixelated even so, or None."""
        replacer = self._anonymiser.replacer
        replacement, source = plan.replacement, plan.source
        if replacement is None or replacement.condition is None or source is None:
            replacer.hide(result, face, None, None, "")
            return None
        crop = replacer.crop(result, face)
        replacer.replace(result, crop, replacement.method, replacement.condition.number)
        if number - progress.verified < VERIFY_EVERY:
            return None
        progress.verified = number
        distance = replacer.distance(result, face, source.descriptor)
        nearest = progress.nearest
        progress.nearest = distance if nearest is None else min(nearest, distance)
        if distance >= MIN_RESULT_DISTANCE:
            return None
        progress.verified = number - VERIFY_EVERY  # at once again, after the cover
        progress.pixelated_until = number + VERIFY_AGAIN
        return "a result looked like the source"

    def reports(self) -> tuple[TrackReport, ...]:
        """Returns what happened to each face, in the order in which they came."""
        return tuple(
            self._report(number, self._plans[number]) for number in sorted(self._plans)
        )

    def _report(self, number: int, plan: TrackPlan) -> TrackReport:
        """What happened to one."""
        progress, decision = self._progress[number], plan.decision
        replacement = plan.replacement
        by = (replacement or self._anonymiser.replacer).method.name
        status = PIXELATED if progress.num_pixelated else REPLACED
        return TrackReport(
            status=status if decision.hidden else KEPT,
            reason=progress.reason if decision.hidden else decision.reason,
            box_xyxy=plan.box_xyxy,
            condition=replacement.condition.name
            if replacement and replacement.condition
            else None,
            descriptor_distance=progress.nearest,
            reference_distance=decision.reference_distance,
            method=by if progress.num_replaced else None,
            track=number,
            first_frame=plan.first,
            last_frame=plan.last,
            num_replaced=progress.num_replaced,
            num_pixelated=progress.num_pixelated,
        )
