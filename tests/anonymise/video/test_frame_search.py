"""Which frames are searched in full, and what follows from the distance of these."""

import numpy as np
import pytest
from clips import pictures, write_clip

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.video.anonymise import anonymise_video
from anonygan_jax.anonymise.video.frame_search import MOST_BETWEEN, FrameSearch
from anonygan_jax.anonymise.video.motion import HISTORY
from anonygan_jax.anonymise.video.track import Track
from anonygan_jax.detection.detector import FaceDetector
from anonygan_jax.faces.face import Face

IMAGE = np.zeros((90, 160, 3), np.uint8)


class Noted:
    """Detector of nothing, which notes its searches."""

    def __init__(self):
        self.asked = []

    def boxes(self, image, is_full=True):
        self.asked.append("full" if is_full else "thorough")
        return []

    def quick_boxes(self, image, turns, parts):
        self.asked.append(turns)
        return []


@pytest.mark.parametrize(("is_followed", "expected"), [(True, (0, 1)), (False, "full")])
def test_a_frame_was_full_only_if_its_search_was(is_followed, expected):
    detector = Noted()
    search = FrameSearch(detector, MOST_BETWEEN, None)
    box = np.array([40, 40, 60, 60], np.float32)
    face = Face(np.zeros((0, 2), np.float32), box, 0.9, np.pi / 2)
    track = Track(0, face, first=6, moved=(6, 0.2), turns=1)
    for number in range(8):
        tracks = [track] if number == 7 else []
        followed = {0: face if is_followed else None}
        _, is_thorough = search(number, IMAGE, number / 30, 0, tracks, followed)
    assert detector.asked == ["full"] + 4 * ["thorough"] + 2 * [(0,)] + (
        [expected] if is_followed else [(0, 1), expected]
    )
    assert search.was_full == is_thorough == (not is_followed)


def test_a_face_that_only_full_searches_show_is_not_told_as_lost_between_them(
    embedded, tmp_path, monkeypatch
):
    boxes = FaceDetector.boxes
    monkeypatch.setattr(
        FaceDetector,
        "boxes",
        lambda self, image, is_full=True: boxes(self, image) if is_full else [],
    )
    monkeypatch.setattr(FaceDetector, "quick_boxes", lambda *_: [])
    monkeypatch.setattr(FaceDetector, "_fitting_points", lambda *_: None)
    source = write_clip(tmp_path / "a.mp4", pictures([embedded[0].image], 30))
    found = anonymise_video(Anonymiser("blackout"), source, tmp_path / "out.mp4")
    (track,) = found.tracks
    assert track.num_pixelated == 30
    assert all(first > 26.5 / 30 for first, _ in track.lost)  # after the last full one


def test_motion_is_remembered_for_as_long_as_faces_are_hidden_before():
    assert MOST_BETWEEN < HISTORY
