"""Faces tracked from frame to frame.

Each frame is searched. Landmarks of the frame before are followed, which is steadier
than detection in each frame; they count only where a detection confirms them. Where a
face is lost, the optical flow carries its box. Where two places are possible, both are
tracked.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from anonygan_jax.anonymise.video.association import (
    Followed,
    confirms,
    is_second_box,
    nearest_tracks,
)
from anonygan_jax.anonymise.video.motion import Motion
from anonygan_jax.anonymise.video.scene_cuts import SceneCuts
from anonygan_jax.anonymise.video.track import Track
from anonygan_jax.detection.boxes import centres_overlap, iou, points_fit
from anonygan_jax.detection.detector import Detection, FaceDetector
from anonygan_jax.faces.face import Face

SLOW = 1 / 15  # seconds between frames, above which each search is thorough
SAME_PLACE = 0.5  # intersection over union of boxes at one place

# Whether a face of an image is that of a track's person; None if that is unknown.
IsSame = Callable[[Track, np.ndarray, Face], bool | None]


class Tracker:
    """Detects, follows and carries the faces of a video.

    Attributes:
      scene_start: the frame in which the scene began.
      motion: between the last frames.
      detections: of the last frame.
    """

    def __init__(
        self,
        detector: FaceDetector,
        search_every: int,
        is_same: IsSame,
        known: dict[int, list[Detection]] | None = None,
    ) -> None:
        """Takes what detects.

        Args:
          search_every: frames from one thorough search to the next. The first frames of
            a scene, frames far apart and lost faces cause one, too.
          known: detections by frame; other frames are not searched. None to search.
        """
        self._detector, self._search_every = detector, search_every
        self._is_same, self._known = is_same, known
        self._tracks: list[Track] = []
        self._num_tracks = 0
        self._cuts = SceneCuts()
        self._seconds = -1.0
        self.motion = Motion()
        self.detections: list[Detection] = []
        self.scene_start = 0

    def step(
        self, number: int, image: np.ndarray, seconds: float
    ) -> tuple[list[Track], list[Track]]:
        """Returns the tracks of a frame, uint8 [H, W, 3], and those that have ended.

        Args:
          number: of the frame; frames come in order.
          seconds: its time.
        """
        ended: list[Track] = []
        self.motion.add(image)
        if self._cuts.is_cut(image):
            self.scene_start, ended = number, self.close()
            self.motion.forget()
        followed = {t.number: self._follow(t, image) for t in self._tracks}
        is_thorough = self._search(number, image, seconds, followed)
        self._seconds = seconds
        seen = self._match(number, image, followed, seconds, is_thorough)
        for track in self._tracks:
            if track.number not in seen:
                track.num_unseen += is_thorough
                self._go_on(track, number, followed.get(track.number), seconds)
        ended += [t for t in self._tracks if self._is_over(t, number, seconds)]
        self._tracks = [t for t in self._tracks if t not in ended]
        return list(self._tracks), ended

    def close(self) -> list[Track]:
        """Ends all tracks and returns them."""
        ended, self._tracks = self._tracks, []
        return ended

    def _follow(self, track: Track, image: np.ndarray) -> Face | None:
        """A face by its landmarks in the frame before; None if there are none."""
        before = track.face
        if not len(before.points_xy):
            return None
        points = self._detector.landmarker.follow(image, before.points_xy)
        if points is None:
            return None
        moved = np.tile((points - before.points_xy).mean(0), 2)
        box = (before.box_xyxy + moved).astype(np.float32)
        face = Face(points, box, before.score, before.roll)
        return face if points_fit(points, box, before.roll) else None

    def _search(
        self, number: int, image: np.ndarray, seconds: float, followed: Followed
    ) -> bool:
        """Searches a frame; whether that was thorough."""
        if self._known is not None:
            self.detections = self._known.get(number, [])
            return number in self._known
        is_thorough = (
            number % self._search_every == 0
            or number - self.scene_start < self._search_every
            or seconds - self._seconds > SLOW
        )
        if not is_thorough:
            turns = {0} | {track.turns for track in self._tracks}
            self.detections = self._detector.quick_boxes(image, tuple(sorted(turns)))
            is_thorough = any(self._is_missed(t, followed) for t in self._tracks)
        if is_thorough:
            self.detections = self._detector.boxes(image)
        return is_thorough

    def _is_missed(self, track: Track, followed: Followed) -> bool:
        """Whether a face is lost now."""
        if track.is_lost or followed[track.number]:
            return False
        boxes = [detection.box_xyxy for detection in self.detections]
        return not any(centres_overlap(box, track.face.box_xyxy) for box in boxes)

    def _match(
        self,
        number: int,
        image: np.ndarray,
        followed: Followed,
        seconds: float,
        is_thorough: bool,
    ) -> set[int]:
        """Gives each detection to a track; the numbers of tracks that have one."""
        given = nearest_tracks(self._tracks, self.detections, followed)
        seen: set[int] = set()
        for place, detection in enumerate(self.detections):
            track = given.get(place)
            old = followed[track.number] if track else None
            if track and old and confirms(detection, old):
                face = dataclasses.replace(old, box_xyxy=detection.box_xyxy)
            else:
                face = self._detector.face(image, detection)
                if is_second_box(face, [t for t in self._tracks if t.number in seen]):
                    continue
                is_free = old is None
                track = self._whose(track, is_free, image, face)
                if track is None:
                    taken = seen | {t.number for t in given.values()}
                    if not is_thorough:
                        taken |= {n for n, old in followed.items() if old}
                    track = self._elsewhere(image, face, taken)
            if track is None:
                track = self._start(face, number, seconds)
            track.see(face, detection.turns, number, seconds)
            seen.add(track.number)
        return seen

    def _whose(
        self, track: Track | None, is_free: bool, image: np.ndarray, face: Face
    ) -> Track | None:
        """The track at a face's place, if the face is that person's.

        Args:
          is_free: whether the track's landmarks are not followed to another place.
        """
        if track is None:
            return None
        is_same = self._is_same(track, image, face)
        if is_same or (is_same is None and is_free):
            return track
        if is_free and iou(track.face.box_xyxy, face.box_xyxy) > SAME_PLACE:
            track.is_over = True  # its place has a new track
        return None

    def _elsewhere(
        self, image: np.ndarray, face: Face, taken: set[int]
    ) -> Track | None:
        """A track that was not detected at its place, if the face is that person's."""
        for track in self._tracks:
            is_free = track.number not in taken and not track.is_over
            if is_free and self._is_same(track, image, face):
                return track
        return None

    def _start(self, face: Face, number: int, seconds: float) -> Track:
        """A new track."""
        track = Track(self._num_tracks, face, number, (number, seconds))
        self._tracks.append(track)
        self._num_tracks += 1
        return track

    def _go_on(
        self, track: Track, number: int, followed: Face | None, seconds: float
    ) -> None:
        """Moves a track that was not detected."""
        if followed and not track.is_unconfirmed(seconds):
            track.follow(followed, number, seconds)
            return
        box = self.motion.carried(track.face.box_xyxy, start=track.num_still + 1)
        track.carry(box, number, seconds)

    def _is_over(self, track: Track, number: int, seconds: float) -> bool:
        """Whether a track has ended."""
        if track.is_over or self.motion.is_outside(track.face.box_xyxy):
            return True
        return track.has_stayed(number, seconds)
