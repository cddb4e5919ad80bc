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
    follow,
    is_second_box,
    nearest_tracks,
)
from anonygan_jax.anonymise.video.frame_search import FrameSearch
from anonygan_jax.anonymise.video.motion import Motion
from anonygan_jax.anonymise.video.scene_cuts import SceneCuts
from anonygan_jax.anonymise.video.track import Track
from anonygan_jax.detection.boxes import exceeds, iou
from anonygan_jax.detection.detector import Detection, FaceDetector
from anonygan_jax.faces.face import Face

SAME_PLACE = 0.5  # intersection over union of boxes at one place

# Whether a face of an image is that of a track's person.
CERTAIN, LIKELY, UNKNOWN, OTHER = "certain", "likely", "unknown", "other"
Likeness = Callable[[Track, np.ndarray, Face], str]


class Tracker:
    """Detects, follows and carries the faces of a video.

    Attributes:
      scene_start: the frame in which the scene began.
      motion: between the last frames.
      detections: of the last frame.
      search: of the frames.
    """

    def __init__(
        self,
        detector: FaceDetector,
        search_every: int,
        likeness: Likeness,
        checks_identity: bool = False,
        known: dict[int, list[Detection]] | None = None,
    ) -> None:
        """Takes what detects.

        Args:
          search_every: frames from one full search to the next. The first frames of a
            scene, frames far apart and the loss of a face cause one, too.
          likeness: of a face to a track's person.
          checks_identity: whether each confirmed face is compared with the person, too;
            else one person may take another's place in a track.
          known: detections by frame; other frames are not searched. None to search.
        """
        self._detector, self._likeness = detector, likeness
        self.search = FrameSearch(detector, search_every, known)
        self._checks_identity = checks_identity
        self._tracks: list[Track] = []
        self._num_tracks = 0
        self._cuts = SceneCuts()
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
        followed = {
            t.number: follow(self._detector.landmarker, t, image) for t in self._tracks
        }
        self.detections, is_thorough = self.search(
            number, image, seconds, self.scene_start, self._tracks, followed
        )
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
            face = self._confirmed(track, followed, detection, image)
            if face is None:
                face = self._detector.face(image, detection)
                if is_second_box(face, [t for t in self._tracks if t.number in seen]):
                    continue
                track = track and self._whose(track, followed, image, face)
                if track is None:
                    taken = seen | {t.number for t in given.values()}
                    track = self._moved(image, face, taken, followed, is_thorough)
            if track is None:
                track = self._start(face, number, seconds)
                track.is_successor = place in given and given[place].is_over
            track.see(face, detection.turns, number, seconds)
            seen.add(track.number)
        return seen

    def _confirmed(
        self,
        track: Track | None,
        followed: Followed,
        detection: Detection,
        image: np.ndarray,
    ) -> Face | None:
        """The followed face of a track, if a detection confirms that it is there."""
        old = followed[track.number] if track else None
        if track is None or old is None or not confirms(detection, old):
            return None
        if exceeds(detection.box_xyxy, image.shape):
            return None
        if self._checks_identity and self._likeness(track, image, old) == OTHER:
            return None
        box, roll = detection.box_xyxy, detection.roll
        return dataclasses.replace(old, box_xyxy=box, roll=roll)

    def _whose(
        self, track: Track, followed: Followed, image: np.ndarray, face: Face
    ) -> Track | None:
        """The track at a face's place, if the face is that person's."""
        old, likeness = followed[track.number], self._likeness(track, image, face)
        box = (old or track.face).box_xyxy
        is_there = iou(box, face.box_xyxy) > SAME_PLACE
        if likeness == CERTAIN or (likeness == LIKELY and (is_there or not old)):
            return track
        if likeness == UNKNOWN and not old:
            return track
        if is_there and (likeness == OTHER or not old):
            track.is_over = True  # its place has a new track
        return None

    def _moved(
        self,
        image: np.ndarray,
        face: Face,
        taken: set[int],
        followed: Followed,
        is_thorough: bool,
    ) -> Track | None:
        """A track that was detected elsewhere before, if that is certain."""
        for track in self._tracks:
            is_followed = followed.get(track.number) is not None
            if track.number in taken or track.is_over:
                continue
            if is_followed and not is_thorough:
                continue
            likeness = self._likeness(track, image, face)
            if likeness == CERTAIN:
                return track
            if likeness == LIKELY and not is_followed:
                track.is_elsewhere = True  # its old place stays hidden for a second
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
        start, stays = track.num_still + 1, track.stays
        box = self.motion.carried(track.face.box_xyxy, start)
        if stays is not None:
            stays = self.motion.carried_with_picture(stays, start)
        track.carry(box, stays, number, seconds)

    def _is_over(self, track: Track, number: int, seconds: float) -> bool:
        """Whether a track has ended."""
        if track.is_over or self.motion.is_outside(track.face.box_xyxy):
            return True
        return track.has_stayed(number, seconds)
