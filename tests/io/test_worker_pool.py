"""Worker pools: order, bounds, dead workers, ends."""

import ctypes
import functools
import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import cv2
import pytest
from alive import is_alive

from anonygan_jax.io import worker_process
from anonygan_jax.io.worker_pool import WorkerPool
from anonygan_jax.io.worker_process import WorkerDied

CHILD = """
import os, sys, time
from anonygan_jax.io import fork_server
from anonygan_jax.io.worker_pool import WorkerPool
from tests_io_workers import load, pid_slowly
if __name__ == "__main__":
    if sys.argv[1:] == ["forked"]:
        fork_server.start(["tests_io_workers", "wave"])
    os.environ["LATE"] = "late"
    pool = WorkerPool.in_processes(load, 1)
    print(*next(pool.map(pid_slowly, range(100))), flush=True)
    time.sleep(600)
"""
WORKERS = """
import os, sys, time
def load(): return None
def pid_slowly(worker, item):
    return os.getpid(), "wave" in sys.modules, os.environ.get("LATE")
"""


def load(start: int) -> dict[str, int]:
    return {"start": start, "pid": os.getpid()}


def add(worker: dict[str, int], item: int) -> int:
    time.sleep(0.05 if item % 3 == 0 else 0)
    return worker["start"] + item


def describe(worker: dict[str, int], _: int) -> tuple[bool, int]:
    return worker["pid"] == os.getpid(), cv2.getNumThreads()


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


def die_at_three(worker: dict[str, int], item: int) -> int:
    if item == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return worker["pid"]


def test_a_process_that_dies_loses_its_item_alone():
    with WorkerPool.in_processes(functools.partial(load, 0), 1) as pool:
        made = list(pool.map(die_at_three, range(6), lambda item, error: str(error)))
        assert made[3] == "its process was killed (SIGKILL), perhaps for lack of memory"
        assert made[:3] == [made[0]] * 3
        assert made[4:] == [made[5]] * 2
        assert made[0] != made[5]
        with pytest.raises(WorkerDied, match="SIGKILL"):
            list(pool.map(die_at_three, [3]))


def stand_still_at_three(worker: dict[str, int], item: int) -> int:
    for _ in range(4):  # longer than the silence that is allowed
        worker_process.sign_of_life()
        time.sleep(0.5)
    if item == 3:
        threading.Event().wait()
    return worker["pid"]


def test_a_process_that_stands_still_loses_its_item_alone(monkeypatch):
    monkeypatch.setattr(worker_process, "MAX_SILENCE", 1.2)
    with WorkerPool.in_processes(functools.partial(load, 0), 1) as pool:
        lost = lambda item, error: str(error)  # noqa: E731
        made = list(pool.map(stand_still_at_three, [2, 3, 4], lost))
        assert made[1] == "its process stood still for 0.02 minutes, and was ended"
        assert made[0] != made[2]


def crash(*_: object) -> None:
    ctypes.string_at(0)


def test_a_crash_is_told_from_an_exit():
    with WorkerPool.in_processes(functools.partial(load, 0), 1) as pool:
        for work, how in ((crash, "SIGSEGV"), (leave, "exit code 7")):
            with pytest.raises(WorkerDied, match=how):
                list(pool.map(work, [0]))


def leave(*_: object) -> None:
    os._exit(7)


def test_a_process_that_is_killed_while_idle_loses_nothing():
    with WorkerPool.in_processes(functools.partial(load, 0), 1) as pool:
        (first,) = pool.map(die_at_three, [0])
        os.kill(first, signal.SIGKILL)
        end = time.monotonic() + 20
        while is_alive(first) and time.monotonic() < end:
            time.sleep(0.01)
        (second,) = pool.map(die_at_three, [0])
        assert second != first


def test_a_worker_that_cannot_be_loaded_is_an_error_each_time():
    with WorkerPool.in_processes(functools.partial(fail, None, 5), 1) as pool:
        for _ in range(2):
            with pytest.raises(ValueError, match="item 5"):
                list(pool.map(add, [0]))


def test_a_process_that_dies_while_it_loads_ends_the_run(monkeypatch):
    monkeypatch.setattr(worker_process, "MAX_STARTS", 3)
    with (
        WorkerPool.in_processes(leave, 1) as pool,
        pytest.raises(WorkerDied, match=r"exit code 7\) before it began, 3 times"),
    ):
        list(pool.map(add, [0], lambda *_: None))


class Stubborn(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def raise_stubborn(*_: object) -> None:
    raise Stubborn(1, 2)


def make_unpicklable(*_: object) -> object:
    return lambda: None


def test_what_cannot_be_pickled_is_an_error_with_its_text():
    with WorkerPool.in_processes(functools.partial(load, 0), 1) as pool:
        with pytest.raises(RuntimeError, match="Stubborn: 1 and 2"):
            list(pool.map(raise_stubborn, [0]))
        with pytest.raises((AttributeError, TypeError), match="lambda"):
            list(pool.map(make_unpicklable, [0]))
        assert list(pool.map(add, [4])) == [4]


def test_after_an_error_processes_are_not_waited_for():
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        _interrupted()
    assert time.monotonic() - start < 300
    assert not multiprocessing.active_children()


def _interrupted() -> None:
    with WorkerPool.in_processes(functools.partial(load, 0), 1) as pool:
        results = pool.map(sleep, [0, 600])
        next(results)
        raise KeyboardInterrupt


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


@pytest.mark.parametrize("how", ["spawned", "forked"])
def test_processes_end_with_a_parent_that_is_killed(tmp_path, how):
    (tmp_path / "tests_io_workers.py").write_text(WORKERS)
    (tmp_path / "child.py").write_text(CHILD)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "child.py"), how],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert parent.stdout is not None
    number, has_imported, late = parent.stdout.readline().split()
    worker = int(number)
    assert has_imported == str(how == "forked")
    assert late == "late"  # the environment of its start, not of the server's
    parent.kill()
    parent.wait()
    end = time.monotonic() + 20
    while is_alive(worker) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_alive(worker)


def test_a_program_ends_though_its_workers_ignore_signals():
    """A pool that is not closed, as of a loader of batches."""
    code = (
        "import signal\n"
        "from anonygan_jax.io.worker_pool import WorkerPool\n"
        "from test_worker_pool import deaf, heard\n"
        "pool = WorkerPool.in_processes(deaf, 1)\n"
        "print(list(pool.map(heard, [1])))\n"
    )
    path = os.pathsep.join([str(pathlib.Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code],
        timeout=60,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert (done.returncode, done.stdout) == (0, "[True]\n"), done.stderr


def deaf() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def heard(_, __) -> bool:
    return signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
