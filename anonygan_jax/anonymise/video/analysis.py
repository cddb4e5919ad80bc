"""The first pass over a video: where each face is, and whose it may be."""

from collections import defaultdict, deque

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.policy import Decision
from anonygan_jax.anonymise.video.detection_store import (
    CARRIED,
    DETECTED,
    EXTENDED,
    INTERPOLATED,
    DetectionStore,
)
from anonygan_jax.anonymise.video.frame_search import (
    PADDING_FRAMES,
    SEARCH_EVERY,
    SLOW,
)
from anonygan_jax.anonymise.video.gaps import Seen, interpolated, moved, without_points
from anonygan_jax.anonymise.video.motion import HISTORY
from anonygan_jax.anonymise.video.person import Person
from anonygan_jax.anonymise.video.person_likeness import PersonLikeness
from anonygan_jax.anonymise.video.person_store import PersonStore
from anonygan_jax.anonymise.video.source import FRAMES_AHEAD, Frame, Video
from anonygan_jax.anonymise.video.track import Track
from anonygan_jax.anonymise.video.tracking import SAME_PLACE, Tracker
from anonygan_jax.detection.boxes import iou
from anonygan_jax.detection.detector import Detection
from anonygan_jax.faces.face import Face
from anonygan_jax.io.prefetch import prefetch_in_thread
from anonygan_jax.io.worker_process import sign_of_life

# Frames of a lost face, between whose ends it is interpolated; also of one that only
# full searches show.
SHORT_GAP = PADDING_FRAMES


class Analysis:
    """Faces of a video; no one is remembered.

    Attributes:
      store: the faces of each frame.
      people: those of the tracks.
      num_frames: of the video.
      shape: of the last frame, [H, W, 3].
    """

    def __init__(
        self,
        anonymiser: Anonymiser,
        search_every: int = SEARCH_EVERY,
        known: dict[int, list[Face]] | None = None,
    ) -> None:
        """Takes what analyses.

        Args:
          known: boxes of faces by frame, found by other means; None to search.
        """
        self._anonymiser = anonymiser
        self._persons: dict[int, Person] = defaultdict(Person)  # of open tracks
        boxes = None
        if known is not None:
            boxes = {
                n: [Detection(f.box_xyxy, f.score, f.roll) for f in known[n]]
                for n in known
            }
        self._tracker = Tracker(
            anonymiser.detector,
            search_every,
            PersonLikeness(anonymiser, self._persons),
            anonymiser.policy.needs_identity,
            boxes,
        )
        self._times: deque[float] = deque(maxlen=HISTORY)
        self._was_searched: deque[bool] = deque(maxlen=HISTORY)
        self.store, self.people = DetectionStore(), PersonStore()
        self.num_frames = 0
        self.shape: tuple[int, ...] = (0, 0, 3)

    def run(self, video: Video) -> None:
        """Analyses all frames of a video.

        Raises:
          VideoError: it cannot be read.
          RegionError: a region to hide or to search is outside the picture.
        """
        with prefetch_in_thread(video.frames(), FRAMES_AHEAD) as frames:
            for number, frame in enumerate(frames):
                self._step(number, frame)
                sign_of_life()
        for track in self._tracker.close():
            self._end(track)
        self.store.smooth()

    def close(self) -> None:
        """Deletes the temporary files."""
        self.store.close()
        self.people.close()

    def _step(self, number: int, frame: Frame) -> None:
        """Analyses one frame."""
        if not number:
            self._anonymiser.policy.check_regions(frame.image.shape)
        self._times.append(frame.seconds)
        seen, ended = self._tracker.step(number, frame.image, frame.seconds)
        self._was_searched.append(self._tracker.search.was_full)
        for track in ended:
            self._end(track)
        for track in seen:
            others = [other.face for other in seen if other is not track]
            self._note(track, number, frame, others)
        for found in self._tracker.detections:
            self.store.add_detection(number, frame.seconds, found)
        self.num_frames, self.shape = number + 1, frame.image.shape

    def _note(
        self, track: Track, number: int, frame: Frame, others: list[Face]
    ) -> None:
        """Stores a face of a frame that shows others, too."""
        person, face, seconds = self._persons[track.number], track.face, frame.seconds
        if track.is_lost:
            person.gap.append((number, seconds, face))
            if track.stays is not None:
                stays = Face(face.points_xy, track.stays, face.score, face.roll)
                person.stays.append((number, seconds, stays))
            if len(person.gap) > SHORT_GAP:
                self._store_gap(track.number, person)
            return
        if person.last_seen is None:
            if not track.is_successor:
                self._pad(track, number)
        elif person.gap:
            if iou(person.gap[-1][2].box_xyxy, face.box_xyxy) < SAME_PLACE:
                self._pad(track, number)  # it may be another one, who has just come
            self._close_gap(track, person, (number, seconds, face))
        self.store.add(number, seconds, track.number, face, DETECTED)
        person.last_seen = number, seconds, face
        if len(face.points_xy):
            person.sample(self._anonymiser, number, frame.image, face, others)
        elif not person.decisions:  # whoever it is, the track is not kept
            person.decisions.append(Decision(True))

    def _pad(self, track: Track, number: int) -> None:
        """Stores a face in the frames before its first detection."""
        motion, face = self._tracker.motion, track.face
        scene = number - self._tracker.scene_start
        early = []
        for back in range(1, min(PADDING_FRAMES, scene, len(self._times) - 1) + 1):
            pause = self._times[-back] - self._times[-1 - back]
            if self._was_searched[-1 - back] and pause > SLOW:
                break  # so long before, it may be anywhere
            box = motion.carried(face.box_xyxy, back - 1, back)
            face = without_points(face) if box is None else moved(face, box)
            if motion.is_outside(face.box_xyxy):
                break
            early.append((number - back, self._times[-1 - back], face))
        for then, seconds, face in reversed(early):
            self.store.add(then, seconds, track.number, face, EXTENDED)

    def _close_gap(self, track: Track, person: Person, seen: Seen) -> None:
        """Stores a lost face that is found again: interpolated after a short gap."""
        assert person.last_seen is not None
        between = interpolated(person.last_seen, person.gap, seen)
        if between is None:
            self._store_gap(track.number, person)
            return
        for frame, seconds, face in between:
            self.store.add(frame, seconds, track.number, face, INTERPOLATED)
        person.gap, person.stays = [], []

    def _store_gap(self, number: int, person: Person) -> None:
        """Stores a lost face in the frames of a gap until now."""
        for frame, seconds, face in person.gap:
            self.store.add(frame, seconds, number, face, CARRIED)
            person.lose(frame, seconds)
        for frame, seconds, face in person.stays:
            self.store.add(frame, seconds, number, face, CARRIED)
        person.gap, person.stays = [], []

    def _end(self, track: Track) -> None:
        """Keeps what planning needs of a track that has ended."""
        person = self._persons.pop(track.number, None)
        if person is None or person.last_seen is None:
            return
        self._store_gap(track.number, person)
        is_replaced = self._anonymiser.replacer is not None
        self.people.add(track, person.to_plan(is_replaced))
