"""Requests to stop, with JAX's agreement between processes replaced by its rule."""

import jax
import pytest
from jax.experimental import multihost_utils

from anonygan_jax.training.stop_request import StopRequest


@pytest.mark.parametrize("num_calls_before", [0, 3])
def test_a_request_is_seen_at_the_next_call_and_stays(num_calls_before, monkeypatch):
    """JAX stops at one more than the largest number that a process has given."""
    largest, stop_at = 0, None

    def reached(number):
        nonlocal largest
        largest = max(largest, number)
        return number == stop_at

    monkeypatch.setattr(jax, "process_count", lambda: 2)
    monkeypatch.setattr(multihost_utils, "reached_preemption_sync_point", reached)
    with StopRequest() as stop:
        for _ in range(num_calls_before):
            assert not stop.requested()
        stop_at = largest + 1  # a SIGTERM, before the first call, too
        assert stop.requested()
        assert stop.requested()  # another stage does not begin
