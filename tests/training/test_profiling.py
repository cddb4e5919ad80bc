"""Speeds by a clock set by hand; which steps are profiled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonygan_jax.training import profiling
from anonygan_jax.training.accelerator_specs import CHIPS
from anonygan_jax.training.profiling import Profiler, Throughput, profile_steps


def test_speeds_are_those_since_the_last_reading(monkeypatch):
    times = iter([100.0, 104.0, 105.0])
    monkeypatch.setattr(profiling.time, "monotonic", lambda: next(times))
    peak = CHIPS["TPU v5 lite"].peak
    speed = Throughput(64, 0.1 * peak, "TPU v5 lite")
    assert speed.read(10) == {}
    expected = {"steps_per_second": 2.0, "pairs_per_second": 128.0, "mfu": 0.2}
    assert speed.read(18) == pytest.approx(expected)
    assert speed.read(23)["steps_per_second"] == pytest.approx(5.0)


def test_no_share_of_a_peak_that_is_not_known(monkeypatch):
    times = iter([0.0, 1.0])
    monkeypatch.setattr(profiling.time, "monotonic", lambda: next(times))
    speed = Throughput(2, 1e9, "cpu")
    speed.read(0)
    assert set(speed.read(1)) == {"steps_per_second", "pairs_per_second"}


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_steps_to_profile_are_first_and_last(first, more):
    assert profile_steps(f"{first}-{first + more}") == (first, first + more)


@pytest.mark.parametrize("text", ["5", "a-b", "5-4", "0-3", "1-2-3"])
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match=f"--profile_steps is '{text}', wanted"):
        profile_steps(text)
    assert profile_steps("") is None


def test_just_the_steps_asked_for_are_recorded(tmp_path, monkeypatch):
    seen, now = [], [0]
    trace = profiling.jax.profiler
    monkeypatch.setattr(trace, "start_trace", lambda folder: seen.append(now[0]))
    monkeypatch.setattr(trace, "stop_trace", lambda: seen.append(now[0]))
    profiler = Profiler(tmp_path, (3, 4))
    for step in range(1, 8):
        now[0] = step
        profiler.before(step)
        profiler.after(step, None)
    profiler.close()
    assert seen == [3, 4]
    seen.clear()
    profiler = Profiler(tmp_path, (7, 9))  # the run ends before
    profiler.before(7)
    profiler.after(7, None)
    profiler.close()
    assert seen == [7, 7]
