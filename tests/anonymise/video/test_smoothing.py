"""Smoothing in time, and the store that it works on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonygan_jax.anonymise.video import detection_store
from anonygan_jax.anonymise.video.smoothing import smooth
from anonygan_jax.faces.face import Face

TIMES = np.arange(60) / 30


@given(seed=st.integers(0, 1000), scale=st.floats(20, 500))
def test_a_face_that_rests_stays_where_it_is_and_shakes_less(seed, scale):
    rng = np.random.default_rng(seed)
    shape = rng.normal(size=(68, 2)) * scale / 4
    noisy = shape + 0.01 * scale * rng.normal(size=(60, 68, 2))
    calm = smooth(TIMES, noisy, scale)
    before, after = (np.abs(np.diff(points, 2, axis=0)) for points in (noisy, calm))
    assert after.mean() < 0.35 * before.mean()
    assert np.abs(calm.mean(0) - noisy.mean(0)).max() < 0.01 * scale
    still = np.repeat(shape[None], 60, 0)
    np.testing.assert_allclose(smooth(TIMES, still, scale), still)


@given(speed=st.floats(-3, 3), shift=st.floats(-100, 100))
def test_steady_movement_does_not_lag(speed, shift):
    points = shift + 100 * speed * TIMES[:, None, None] * np.ones((60, 68, 2))
    smoothed = smooth(TIMES, points, 100.0)
    assert np.abs(smoothed - points)[20:40].max() < 0.5  # half a hundredth of a face


@given(seed=st.integers(0, 1000))
def test_time_may_run_backwards(seed):
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(0.01, 0.1, 30))
    points = rng.normal(size=(30, 4))
    back = smooth(-times[::-1], points[::-1], 1.0)[::-1]
    np.testing.assert_allclose(smooth(times, points, 1.0), back)


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
    np.testing.assert_array_equal(smooth(TIMES[:count], points, 1.0), points)
