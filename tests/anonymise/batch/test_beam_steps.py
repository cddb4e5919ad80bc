"""Steps of a pipeline that a runner repeats, or whose processes die."""

import os
import signal
from types import SimpleNamespace

import pytest

from anonygan_jax.anonymise.batch import beam_steps
from anonygan_jax.anonymise.batch.task import Task
from anonygan_jax.anonymise.batch.worker import Worker
from anonygan_jax.io.kinds import VIDEO
from anonygan_jax.io.worker_process import DiedAtWork, WorkerDied

KILLED = "its process was killed (SIGKILL), perhaps for lack of memory"
FOREIGN = ".anonygan-00000000-1-0000000000000000.partial"  # another machine's


class Planner:
    """Dies while it plans, instead of a worker with models."""

    def __init__(self):
        self.anonymiser = SimpleNamespace(memory=None, remembers=False)

    def plan(self, searched):
        os.kill(os.getpid(), signal.SIGKILL)


def _step(folder, process=None):
    step = beam_steps.Step(Worker, _never, _set_aside, folder)
    step._process = process
    return step


def test_a_file_that_kills_the_runners_worker_again_and_again_is_set_aside(tmp_path):
    """A runner repeats the bundle; each time its worker dies before it ends."""
    for _ in range(beam_steps.NUM_TRIES):
        with pytest.raises(KeyboardInterrupt):
            list(_step(tmp_path, _raising(KeyboardInterrupt())).process((3, "item")))
    assert list(_step(tmp_path).process((3, "item"))) == [(3, "item")]
    begun = "begun 3 times by Beam workers, and ended by none"
    assert beam_steps.read_made(tmp_path, 3) == ("item", begun)


def test_a_try_in_which_the_file_was_not_begun_does_not_count(tmp_path):
    for _ in range(beam_steps.NUM_TRIES + 1):
        with pytest.raises(WorkerDied):
            list(_step(tmp_path, _raising(WorkerDied())).process((3, "item")))
    assert not list(tmp_path.iterdir())


def test_what_is_done_is_not_done_again(tmp_path):
    beam_steps.write_made(tmp_path, 0, "done before")
    assert list(_step(tmp_path).process((0, "item"))) == [(0, "item")]
    assert beam_steps.read_made(tmp_path, 0) == "done before"


def test_a_late_repetition_undoes_nothing(tmp_path):
    def process(work, item):
        beam_steps.write_made(tmp_path, 0, "done by another")
        raise DiedAtWork

    list(_step(tmp_path, process).process((0, "item")))
    assert beam_steps.read_made(tmp_path, 0) == "done by another"


def _raising(error):
    def process(work, item):
        raise error

    return process


def _set_aside(item, error):
    return item, str(error)


def _never(worker, item):
    raise AssertionError("called")


def test_a_death_in_planning_leaves_what_lies_beside_the_results(tmp_path):
    """The pipeline's own folder lies there, and is another machine's."""
    found, video = tmp_path / "found", tmp_path / "a.mp4"
    task = Task(video, "a.mp4", VIDEO, tmp_path / "out.mp4", tmp_path / "staged.mp4")
    (tmp_path / FOREIGN).mkdir()
    beam_steps.write_made(found, 0, (task, None))
    plan = beam_steps.Plan(Planner, found, None, tmp_path / "people-1")
    plan.setup()
    ((number, (_, result)),) = plan.process(("", [0]))
    plan.teardown()
    assert (number, result.kind, result.reason) == (0, "failed", KILLED)
    assert (tmp_path / FOREIGN).exists()


def test_people_who_are_lost_are_not_nobody(tmp_path):
    plan = beam_steps.Plan(Planner, tmp_path, tmp_path / "people-1", tmp_path / "2")
    plan.setup()
    with pytest.raises(FileNotFoundError):
        list(plan.process(("", [])))
    plan.teardown()
