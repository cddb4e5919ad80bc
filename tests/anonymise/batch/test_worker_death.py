"""Workers that die fail their file alone."""

import contextlib
import ctypes
import functools
import json
import multiprocessing
import os
import pathlib
import random
import signal

import pytest
from PIL import Image

from anonygan_jax.anonymise.batch import pool
from anonygan_jax.anonymise.batch.file_results import FAILED, FileResult, exit_code
from anonygan_jax.anonymise.batch.pool import processes
from anonygan_jax.anonymise.batch.run import BatchRun
from anonygan_jax.anonymise.batch.worker import Worker
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.io.worker_pool import WorkerPool
from tests.clips import pictures, write_clip


class DyingWorker(Worker):
    """Dies as the names of files say."""

    def _found(self, task):
        if task.name.startswith("killed in search"):
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._found(task)

    def _written(self, task, plans):
        if task.name.startswith("crashed in writing"):
            super()._written(task, plans)
            ctypes.string_at(0)
        return super()._written(task, plans)

    def _video_written(self, task):
        if task.name.startswith("killed in video"):
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._video_written(task)


@pytest.fixture
def folder(tmp_path, embedded) -> pathlib.Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for number, name in enumerate(("a", "crashed in writing", "killed in search", "z")):
        Image.fromarray(embedded[8 * number].image).save(folder / f"{name}.png")
    for name in ("b", "killed in video", "y"):
        frames = pictures([embedded[0].image, embedded[-1].image], 3)
        write_clip(folder / f"{name}.mp4", frames)
    return folder


def test_a_worker_that_dies_fails_its_file_alone(folder, tmp_path, monkeypatch):
    out, settings = tmp_path / "out", Settings("blur")
    with monkeypatch.context() as planted:
        planted.setattr(pool, "Worker", DyingWorker)
        with BatchRun((str(folder),), out, settings) as run:
            results = {pathlib.Path(r.photo).stem: r for r in run.results()}
    reasons = {name: r.reason for name, r in results.items() if r.kind == "failed"}
    killed = "its process was killed (SIGKILL), perhaps for lack of memory"
    assert reasons == {
        "crashed in writing": "its process ended suddenly (SIGSEGV)",
        "killed in search": killed,
        "killed in video": killed,
    }
    assert exit_code(list(results.values())) == 2
    names = ["a.png", "b.mp4", "report.json", "y.mp4", "z.png"]
    assert sorted(path.name for path in out.iterdir()) == names  # no leftovers, either
    report = json.loads((out / "report.json").read_text())["photos"]
    assert {entry["reason"] for entry in report} == {None, *reasons.values()}
    assert not multiprocessing.active_children()


class Interrupted:
    """Workers that have found faces in videos when Ctrl-C comes."""

    def anonymise(self, tasks, table=None):
        for task in tasks:
            task.scratch.mkdir(mode=0o700)
            (task.scratch / "people").touch()
        for task in tasks[:1]:
            yield FileResult(str(task.photo), FAILED, reason="a planted fault")
        if tasks:
            raise KeyboardInterrupt


@pytest.mark.parametrize("by_caller", [False, True])
def test_an_interrupt_leaves_no_images_of_faces(by_caller, tmp_path):
    out = tmp_path / "out"
    for name in ("a", "b"):
        (tmp_path / f"{name}.mp4").touch()

    @contextlib.contextmanager
    def make(settings, num_files):
        yield Interrupted()

    def use(run):
        with run:
            results = run.results()
            next(results)
            assert next(out.rglob("people"))
            if by_caller:
                raise KeyboardInterrupt
            next(results)

    with pytest.raises(KeyboardInterrupt):
        use(BatchRun((str(tmp_path),), out, Settings("blur"), make))
    assert not list(out.rglob("people"))


def test_a_single_file_needs_no_process(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(WorkerPool, "in_processes", None)
    with BatchRun((str(folder / "a.png"),), tmp_path / "out", Settings("blur")) as run:
        assert [result.kind for result in run.results()] == ["replaced"]


@pytest.mark.slow
def test_twenty_kills_at_random_cost_twenty_files_at_most(embedded, tmp_path):
    folder, out, rng = tmp_path / "in", tmp_path / "out", random.Random(0)
    folder.mkdir()
    for number, face in enumerate(embedded):
        Image.fromarray(face.image).save(folder / f"{number:03d}.png")
    settings, num_killed = Settings("blur"), 0
    make_pool = functools.partial(processes, number=3)
    with BatchRun((str(folder),), out, settings, make_pool) as run:
        results = []
        for result in run.results():
            results.append(result)
            children = multiprocessing.active_children()
            if num_killed < 20 and rng.random() < 0.2 and children:
                rng.choice(children).kill()
                num_killed += 1
    failed = [result for result in results if result.kind == "failed"]
    assert (len(results), num_killed) == (len(embedded), 20)
    assert len(failed) <= 20
    assert {r.reason for r in failed} <= {
        "its process was killed (SIGKILL), perhaps for lack of memory"
    }
    with BatchRun((str(folder),), out, settings) as run:
        again = list(run.results())
    assert {result.kind for result in again} == {"replaced"}
    assert len(list(out.iterdir())) == len(embedded) + 1
