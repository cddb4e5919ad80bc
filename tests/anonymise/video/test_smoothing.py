"""Smoothing in time, and the store that it works on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonygan_jax.anonymise.video import detection_store
from anonygan_jax.anonymise.video.found_video import FoundVideo
from anonygan_jax.anonymise.video.person_store import PersonStore
from anonygan_jax.anonymise.video.smoothing import smooth
from anonygan_jax.detection.detector import Detection
from anonygan_jax.faces.face import Face

TIMES = np.arange(60) / 30


@given(seed=st.integers(0, 1000), scale=st.floats(20, 500))
def test_a_face_that_rests_stays_where_it_is_and_shakes_less(seed, scale):
    rng = np.random.default_rng(seed)
    shape = rng.normal(size=(68, 2)) * scale / 4
    noisy = shape + 0.01 * scale * rng.normal(size=(60, 68, 2))
    widths = np.full(60, scale)
    calm = smooth(TIMES, noisy, widths)
    before, after = (np.abs(np.diff(points, 2, axis=0)) for points in (noisy, calm))
    assert after.mean() < 0.35 * before.mean()
    assert np.abs(calm.mean(0) - noisy.mean(0)).max() < 0.01 * scale
    still = np.repeat(shape[None], 60, 0)
    np.testing.assert_allclose(smooth(TIMES, still, widths), still)


@given(speed=st.floats(-3, 3), shift=st.floats(-100, 100))
def test_steady_movement_does_not_lag(speed, shift):
    points = shift + 100 * speed * TIMES[:, None, None] * np.ones((60, 68, 2))
    smoothed = smooth(TIMES, points, np.full(60, 100.0))
    assert np.abs(smoothed - points)[20:40].max() < 0.5  # half a hundredth of a face


@given(seed=st.integers(0, 1000))
def test_time_may_run_backwards(seed):
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(0.01, 0.1, 30))
    points, widths = rng.normal(size=(30, 4)), np.ones(30)
    back = smooth(-times[::-1], points[::-1], widths)[::-1]
    np.testing.assert_allclose(smooth(times, points, widths), back)


def test_rows_come_back_by_frame_and_are_smoothed_by_track():
    store = detection_store.DetectionStore()
    rng = np.random.default_rng(0)
    shapes = {0: np.full((68, 2), 50.0), 1: np.full((68, 2), 90.0)}
    box = np.array([0, 0, 40, 50], np.float32)
    for frame in range(40):
        for track, shape in shapes.items():
            noise = 0.5 * rng.normal(size=(68, 2))
            points = (shape + noise).astype(np.float32)
            if track == 1 and frame < 10:
                points = points[:0]
            store.add(
                frame,
                frame / 30,
                track,
                Face(points, box, 1.0),
                detection_store.DETECTED,
            )
    store.add(
        3,
        0.1,
        7,
        Face(np.zeros((0, 2), np.float32), box, 0.5),
        detection_store.EXTENDED,
    )
    store.smooth()
    frames = dict(store.by_frame())
    assert list(frames) == list(range(40))
    assert list(frames[3]["track"]) == [0, 1, 7]
    assert len(detection_store.face_of(frames[3][1]).points_xy) == 0
    for track, shape in shapes.items():
        for frame in (0, 15, 39):
            points = detection_store.face_of(frames[frame][track]).points_xy
            if len(points):
                assert np.abs(points - shape).mean() < 0.35
    store.close()


def test_long_tracks_are_smoothed_in_parts_as_if_they_were_whole(monkeypatch):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(300, 68, 2)).cumsum(0).astype(np.float32)
    box = np.array([0, 0, 40, 50], np.float32)
    results = []
    for part in (1000, 100):
        monkeypatch.setattr(detection_store, "SMOOTHED", part)
        store = detection_store.DetectionStore()
        for frame in range(300):
            face = Face(points[frame], box, 1.0)
            store.add(frame, frame / 30, 0, face, detection_store.DETECTED)
        store.smooth()
        results.append(np.stack([rows["points"][0] for _, rows in store.by_frame()]))
        store.close()
    assert np.abs(results[0] - points).max() > 0.1
    np.testing.assert_allclose(results[0], results[1], atol=1e-2)


@pytest.mark.parametrize("count", [0, 1])
def test_short_tracks_are_left_alone(count):
    points = np.ones((count, 68, 2), np.float32)
    smoothed = smooth(TIMES[:count], points, np.ones(count))
    np.testing.assert_array_equal(smoothed, points)


@given(seed=st.integers(0, 1000), growth=st.floats(2, 40))
def test_in_a_zoom_no_face_moves_far_for_its_own_width(seed, growth):
    rng = np.random.default_rng(seed)
    store = detection_store.DetectionStore()
    widths = np.geomspace(20, 20 * growth, 60)
    boxes, points = [], []
    for frame, width in enumerate(widths):
        low = 100 + 0.2 * width * rng.normal(size=2)
        boxes.append(np.concatenate([low, low + width]).astype(np.float32))
        points.append((low + width * rng.random((68, 2))).astype(np.float32))
        face = Face(points[-1], boxes[-1], 1.0)
        store.add(frame, frame / 30, 0, face, detection_store.DETECTED)
    store.smooth()
    for frame, rows in store.by_frame():
        face = detection_store.face_of(rows[0])
        shifts = np.abs(face.box_xyxy - boxes[frame]).max()
        shifts = max(shifts, np.abs(face.points_xy - points[frame]).max())
        assert shifts <= 0.0301 * widths[frame] + 1e-3
    store.close()


def test_each_row_keeps_its_roll():
    store = detection_store.DetectionStore()
    box = np.array([0, 0, 40, 50], np.float32)
    for frame in range(3):
        face = Face(np.zeros((0, 2), np.float32), box, 0.5, roll=frame - 1.5)
        store.add(frame, frame / 30, 0, face, detection_store.DETECTED)
        store.add_detection(frame, frame / 30, Detection(box, 0.5, roll=frame + 1.5))
    store.smooth()
    for frame, rows in store.by_frame():
        rolls = [detection_store.face_of(row).roll for row in rows]
        assert rolls == [frame - 1.5, frame + 1.5]
    store.close()


def test_a_store_that_is_read_in_part_is_refused(tmp_path):
    """The faces of the rest would pass."""
    store, size = detection_store.DetectionStore(), detection_store.ROW.itemsize
    for frame in range(3):
        found = Detection(np.float32([1, 2, 3, 4]), 0.9)
        store.add_detection(frame, frame / 30, found)
    with FoundVideo(store, PersonStore(), 3, [], 0) as video:
        video.save(tmp_path)
    with FoundVideo.load(tmp_path) as video:
        assert [frame for frame, _ in video.store.by_frame()] == [0, 1, 2]
    saved = tmp_path / "faces"
    saved.write_bytes(saved.read_bytes()[: 2 * size])
    with pytest.raises(OSError, match="2 of 3 rows of faces"):
        FoundVideo.load(tmp_path)
