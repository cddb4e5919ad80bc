"""Items read ahead by a thread, which has ended whenever its source may be closed."""

import itertools
import queue
import threading
from collections.abc import Iterator

import pytest

from anonygan_jax.io import prefetch
from anonygan_jax.io.prefetch import prefetch_in_thread


class Source:
    """An endless source that, as a video, must not be closed while it is read."""

    def __init__(self) -> None:
        self.threads: set[threading.Thread] = set()
        self.was_left = self.closed_while_read = False

    def items(self) -> Iterator[int]:
        try:
            for number in itertools.count():
                self.threads.add(threading.current_thread())
                yield number
        finally:
            self.was_left = True

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, *_: object) -> None:
        self.closed_while_read = any(t.is_alive() for t in self.threads)


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("taken", [0, 1, 20])
def test_the_thread_has_ended_when_the_source_is_closed(error, taken):
    source = Source()

    def use():
        with source, prefetch_in_thread(source.items(), 4) as items:
            assert list(itertools.islice(items, taken)) == list(range(taken))
            raise error

    with pytest.raises(error) as kept:  # its traceback keeps the frames alive
        use()
    assert kept.value
    assert source.was_left
    assert not source.closed_while_read


def test_of_two_threads_the_one_that_reads_ends_too():
    source = Source()

    def use():
        with (
            source,
            prefetch_in_thread(source.items(), 2) as read,
            prefetch_in_thread(map(str, read), 2) as made,
        ):
            assert next(made) == "0"
            raise OSError

    with pytest.raises(OSError):  # noqa: PT011 (it has no text)
        use()
    assert source.was_left
    assert not source.closed_while_read


def test_an_interrupt_while_the_thread_ends_waits_for_it(monkeypatch):
    may_end = threading.Event()
    source = Source()

    class Queue(queue.Queue):
        def get(self, block=True, timeout=None):
            if timeout is not None and not may_end.is_set():
                may_end.set()
                raise KeyboardInterrupt
            return super().get(block, timeout)

    def slow():
        for item in source.items():
            yield item
            may_end.wait()

    def use():
        with source, prefetch_in_thread(slow(), 4) as items:
            next(items)
            raise OSError

    monkeypatch.setattr(prefetch.queue, "Queue", Queue)
    with pytest.raises(KeyboardInterrupt):
        use()
    assert not source.closed_while_read


def test_items_and_errors_come_in_order():
    def items():
        yield from range(10)
        raise LookupError("at the end")

    with prefetch_in_thread(items(), 3) as read:
        assert list(itertools.islice(read, 10)) == list(range(10))
        with pytest.raises(LookupError, match="at the end"):
            next(read)
    with prefetch_in_thread(range(5), 3) as read:
        assert list(read) == list(range(5))
