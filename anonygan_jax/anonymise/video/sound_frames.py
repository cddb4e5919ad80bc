"""Decoded sound, made uniform and even, so that it can be encoded."""

import fractions
from collections.abc import Iterator
from typing import Any

import av
import numpy as np

from anonygan_jax.anonymise.video.timeline import Timeline

JITTER = 0.1  # seconds: a time stamp that is as wrong is a gap, or sound that is twice
DRIFT = 0.02  # seconds that time stamps may be away from the samples for long
_SHARE = 0.05  # of a frame in the average of what its time stamp is away
_PACKED = "flt"  # PyAV reads wrong memory of eight or more channels that are not packed


def decoded(packets: Iterator[Any]) -> Iterator[Any]:
    """Yields the frames of packets; None of one that cannot be read or decoded."""
    for packet in packets:
        try:
            frames = [None] if packet is None else packet.decode()
        except av.error.FFmpegError:
            frames = [None]
        yield from frames


def uniform(frames: Iterator[Any]) -> Iterator[Any]:
    """Yields frames as packed samples, of the rate and channels of the first one."""
    kind = first = None
    resampler: Any = None
    for frame in frames:
        if frame is None:
            yield None
            continue
        this = (frame.format.name, frame.layout.name, frame.sample_rate)
        if this != kind:
            if resampler is not None:
                yield from filter(None, resampler.resample(None))
            first = first or this[1:]
            kind, resampler = this, av.AudioResampler(_PACKED, *first)
        yield from resampler.resample(frame)
    if resampler is not None:
        yield from filter(None, resampler.resample(None))


def even(frames: Iterator[Any], timeline: Timeline) -> Iterator[Any]:
    """Yields frames whose time stamps are counted in samples, in time with the told.

    Those of some containers are too coarse. Where they say that there is a gap, there
    is one; where they say that two frames are at once, the second one is cut. A None
    among the frames stays one.
    """
    expected, average, is_after_gap = None, 0.0, True
    for frame in frames:
        if frame is None:
            is_after_gap = True
            yield None
            continue
        rate, time = frame.sample_rate, frame.time
        start = expected or 0
        if time is not None:
            told = (time + timeline.offset(time, frame.samples / rate)) * rate
            wrong = 0.0 if expected is None else (told - expected) / rate
            average += _SHARE * (wrong - average)
            if is_after_gap or abs(wrong) > JITTER:
                start, average, is_after_gap = round(told), 0.0, False
            elif abs(average) > DRIFT:
                start, average = start + round(average * rate), 0.0
        if expected is not None and start < expected:
            frame, start = _cut(frame, expected - start), expected
            if frame is None:
                continue
        frame.pts, frame.time_base = start, fractions.Fraction(1, rate)
        expected = start + frame.samples
        yield frame


def _cut(frame: Any, num_samples: int) -> Any:
    """A frame without its first samples; None if none is left."""
    if num_samples >= frame.samples:
        return None
    samples = frame.to_ndarray()[:, num_samples * frame.layout.nb_channels :]
    samples = np.ascontiguousarray(samples)
    rest = av.AudioFrame.from_ndarray(samples, _PACKED, frame.layout.name)
    rest.sample_rate = frame.sample_rate
    return rest
