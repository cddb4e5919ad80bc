"""What comes and goes between two full searches is found by what is new."""

import cv2
import numpy as np
import pytest
from clips import read_clip, write_clip

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.video.anonymise import anonymise_video
from anonygan_jax.anonymise.video.changes import Changes

HEIGHT, WIDTH = 360, 640


@pytest.fixture(scope="module")
def wall() -> np.ndarray:
    """A soft texture, uint8 [400, 700, 3]."""
    noise = np.random.default_rng(0).normal(128, 60, (40, 70, 3))
    large = cv2.resize(noise, (700, 400), interpolation=cv2.INTER_CUBIC)
    return np.clip(large, 0, 255).astype(np.uint8)


def _view(wall: np.ndarray, left: int = 0, top: int = 0) -> np.ndarray:
    """The wall as a camera sees it, from some place."""
    return wall[top : top + HEIGHT, left : left + WIDTH].copy()


def _parts(before: np.ndarray, now: np.ndarray, faces=()) -> list[np.ndarray]:
    changes = Changes()
    assert changes.parts(before, ()) == []
    return changes.parts(now, faces)


def test_nothing_is_new_in_noise_and_in_motion(wall):
    noise = np.random.default_rng(1).normal(0, 6, (HEIGHT, WIDTH, 3))
    noisy = np.clip(_view(wall) + noise, 0, 255).astype(np.uint8)
    assert _parts(_view(wall), noisy) == []
    parts = _parts(_view(wall, 20, 10), _view(wall, 26, 10))
    # The camera went to the right: only what comes in there is new.
    assert all(part[2] == WIDTH for part in parts)


@pytest.mark.parametrize("centre", [(320, 180), (40, 300), (600, 20)])
@pytest.mark.parametrize("shift", [0, 6])
def test_what_has_come_is_found_wherever_it_is(wall, centre, shift):
    now = _view(wall, shift)
    cv2.circle(now, centre, 8, (230, 180, 150), -1)
    parts = _parts(_view(wall), now)
    left, top, right, bottom = (
        *(np.array(centre) - 8).clip(0),
        *np.minimum(np.array(centre) + 8, (WIDTH, HEIGHT)),
    )
    assert any(
        part[0] <= left and part[1] <= top and part[2] >= right and part[3] >= bottom
        for part in parts
    )
    pixels = sum(float(np.prod(part[2:] - part[:2])) for part in parts)
    assert pixels < 0.35 * HEIGHT * WIDTH


def test_what_is_new_in_known_faces_does_not_count(wall):
    now = _view(wall)
    cv2.circle(now, (320, 180), 20, (230, 180, 150), -1)
    face = np.array([290, 150, 350, 210], np.float32)
    assert _parts(_view(wall), now)
    assert _parts(_view(wall), now, [face]) == []


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (8, 8), (150, 1920), (64, 1920), (1000, 3), (40, 10)]
)
def test_strips_and_tiny_pictures(height, width):
    """OpenCV's flow crashed, and took the process along."""
    changes, rng = Changes(), np.random.default_rng(0)
    for _ in range(3):
        image = rng.integers(0, 256, (height, width, 3), np.uint8)
        for part in changes.parts(image, ()):
            assert (part[:2] < part[2:]).all()
            assert (part[2:] <= (width, height)).all()


def test_after_a_change_of_size_all_begins_again(wall):
    changes = Changes()
    changes.parts(_view(wall), ())
    assert changes.parts(_view(wall)[:300], ()) == []


@pytest.mark.parametrize("angle", [0, 90, 180])
def test_a_small_face_of_six_frames_between_full_searches_is_hidden(
    embedded, wall, tmp_path, angle
):
    room = cv2.GaussianBlur(cv2.resize(wall, (1280, 720)), (0, 0), 9)
    size = 40
    face = cv2.resize(embedded[0].image, (size, size * 11 // 9), None, 0, 0, 3)
    inner = np.zeros(face.shape[:2], bool)
    inner[24:34, 14:26] = True  # eyes, nose and mouth
    face, inner = (np.rot90(array, angle // 90) for array in (face, inner))
    rows, columns = slice(300, 300 + face.shape[0]), slice(800, 800 + face.shape[1])
    frames = []
    for number in range(21):
        frame = room.copy()
        if 11 <= number < 17:
            frame[rows, columns] = face
        frames.append(frame)
    source = write_clip(tmp_path / "a.mp4", frames)
    anonymise_video(Anonymiser("blackout"), source, tmp_path / "out.mp4")
    for frame in read_clip(tmp_path / "out.mp4")[0][11:17]:
        assert (frame[rows, columns][inner].max(-1) < 40).mean() > 0.9
