"""Worker pools: order, bounds, dead workers, ends."""

import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool

import cv2
import pytest

from anonygan_jax.io.worker_pool import WorkerPool

CHILD = """
import time
from anonygan_jax.io.worker_pool import WorkerPool
from tests_io_workers import load, pid_slowly
if __name__ == "__main__":
    pool = WorkerPool.in_processes(load, 1)
    print(next(pool.map(pid_slowly, range(100))), flush=True)
    time.sleep(600)
"""
WORKERS = """
import os, time
def load(): return None
def pid_slowly(worker, item): return os.getpid()
"""


def load(start: int) -> dict[str, int]:
    return {"start": start, "pid": os.getpid()}


def add(worker: dict[str, int], item: int) -> int:
    time.sleep(0.05 if item % 3 == 0 else 0)
    return worker["start"] + item


def describe(worker: dict[str, int], _: int) -> tuple[bool, int]:
    return worker["pid"] == os.getpid(), cv2.getNumThreads()


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail(_: object, item: int) -> None:
    raise ValueError(f"item {item}")


@pytest.fixture(params=["processes", "thread"])
def pool(request):
    if request.param == "thread":
        made = WorkerPool.in_thread(load(100))
    else:
        made = WorkerPool.in_processes(functools.partial(load, 100), 2)
    with made:
        yield made


def test_results_have_input_order_and_items_are_read_as_they_are_used(pool):
    read = []

    def items():
        for item in range(60):
            read.append(item)
            yield item

    results = pool.map(add, items())
    assert [next(results) for _ in range(5)] == [100, 101, 102, 103, 104]
    assert len(read) <= 5 + pool.num_ahead
    assert list(results) == list(range(105, 160))


def test_maps_can_be_chained(pool):
    assert list(pool.map(add, pool.map(add, range(30)))) == list(range(200, 230))


def test_what_work_raises_is_raised_in_its_place(pool):
    results = pool.map(fail, [7])
    with pytest.raises(ValueError, match="item 7"):
        next(results)


def test_processes_load_once_and_use_one_thread_of_opencv():
    with WorkerPool.in_processes(functools.partial(load, 0), 2) as pool:
        assert set(pool.map(describe, range(20))) == {(True, 1)}


def test_a_process_that_dies_breaks_the_pool():
    with (
        WorkerPool.in_processes(functools.partial(load, 0), 1) as pool,
        pytest.raises(BrokenProcessPool),
    ):
        list(pool.map(die, range(3)))


def test_leaving_cancels_what_has_not_begun():
    with WorkerPool.in_processes(functools.partial(load, 0), 1) as pool:
        next(pool.map(add, range(3)))
        start = time.monotonic()
        waiting = pool.map(sleep, [0.5] * 8)
        next(waiting)
    assert time.monotonic() - start < 3
    assert not multiprocessing.active_children()


def sleep(_: object, seconds: float) -> None:
    time.sleep(seconds)


def test_processes_end_with_a_parent_that_is_killed(tmp_path):
    (tmp_path / "tests_io_workers.py").write_text(WORKERS)
    (tmp_path / "child.py").write_text(CHILD)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "child.py")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    end = time.monotonic() + 20
    while _is_alive(worker) and time.monotonic() < end:
        time.sleep(0.05)
    assert not _is_alive(worker)


def _is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody waits for does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
