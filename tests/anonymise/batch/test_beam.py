"""By Apache Beam: poison files are set aside, results are those of one process."""

import functools
import json
import os
import pathlib
import signal

import numpy as np
import pytest
from apache_beam.runners.runner import PipelineResult, PipelineRunner, PipelineState
from PIL import Image

from anonygan_jax.anonymise.batch import beam
from anonygan_jax.anonymise.batch.file_results import exit_code
from anonygan_jax.anonymise.batch.pool import in_thread, processes
from anonygan_jax.anonymise.batch.run import BatchRun
from anonygan_jax.anonymise.batch.task import Task
from anonygan_jax.anonymise.batch.worker import Worker
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.io.beam_pipeline import PipelineError
from anonygan_jax.io.kinds import VIDEO
from anonygan_jax.io.worker_process import WorkerDied
from tests.clips import pictures, write_clip

NUM_FRAMES = 6
KILLED = "its process was killed (SIGKILL), perhaps for lack of memory"


class PoisonedWorker(Worker):
    """Dies or raises as the names of files say; notes each try of a search."""

    def _found(self, task):
        if task.name.startswith("killed"):
            os.kill(os.getpid(), signal.SIGKILL)
        if task.name.startswith("raises"):
            task.photo.with_suffix(".tries").open("a").write("1")
            raise RuntimeError("a planted fault")
        return super()._found(task)


class FakeRunner(PipelineRunner):
    """Submits a job whose end a test plants."""

    end = None

    def run_pipeline(self, pipeline, options):
        return FakeJob()


class FakeJob(PipelineResult):
    num_cancelled = 0

    def __init__(self):
        super().__init__(PipelineState.RUNNING)

    def wait_until_finish(self, duration=None):
        if isinstance(FakeRunner.end, BaseException):
            raise FakeRunner.end
        return FakeRunner.end

    def cancel(self):
        FakeJob.num_cancelled += 1
        raise NotImplementedError


def _photos(folder: pathlib.Path, embedded, names: list[str]) -> pathlib.Path:
    folder.mkdir()
    for number, name in enumerate(names):
        Image.fromarray(embedded[8 * number].image).save(folder / f"{name}.png")
    return folder


def _task(folder: pathlib.Path) -> Task:
    video = folder / "a.mp4"
    return Task(video, "a.mp4", VIDEO, folder / "out.mp4", folder / "staged.mp4")


def test_a_poison_file_is_set_aside(tmp_path, embedded, monkeypatch):
    """An unexpected error fails its file at once, as on one machine."""
    names = ["a", "killed", "raises", "z"]
    folder, out = _photos(tmp_path / "in", embedded, names), tmp_path / "out"
    monkeypatch.setattr(beam, "Worker", PoisonedWorker)
    make = functools.partial(beam.pipelines, options="", output=out)
    with BatchRun((str(folder),), out, Settings("blur"), make) as run:
        results = list(run.results())
    assert exit_code(results) == 2
    reasons = {pathlib.Path(r.photo).stem: r.reason for r in results}
    raised = "RuntimeError: a planted fault"
    assert reasons == {"a": None, "killed": KILLED, "raises": raised, "z": None}
    assert (folder / "raises.tries").read_text() == "1"
    report = json.loads((out / "report.json").read_text())["photos"]
    assert {entry["reason"] for entry in report} == {*reasons.values()}
    written = sorted(path.name for path in out.iterdir())
    assert written == ["a.png", "report.json", "z.png"]


@pytest.mark.parametrize(
    ("end", "raised"),
    [
        (Exception("a  gRPC\nerror"), "the pipeline failed: a gRPC error; the same"),
        (PipelineState.FAILED, "the pipeline failed: it ended as FAILED; the same"),
        (PipelineState.CANCELLED, "it ended as CANCELLED"),
    ],
)
def test_a_pipeline_that_fails_is_one_line(end, raised, tmp_path, monkeypatch):
    with pytest.raises(PipelineError, match=raised):
        _fake_pipeline(end, tmp_path, monkeypatch)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("end", [KeyboardInterrupt(), ValueError(), WorkerDied()])
def test_an_interrupt_cancels_the_job(end, tmp_path, monkeypatch):
    with pytest.raises(type(end)) as raised:
        _fake_pipeline(end, tmp_path, monkeypatch)
    assert raised.value is end
    assert FakeJob.num_cancelled == 1


def _fake_pipeline(end, folder, monkeypatch):
    monkeypatch.setattr(FakeRunner, "end", end)
    monkeypatch.setattr(FakeJob, "num_cancelled", 0)
    options = f"--runner={__name__}.FakeRunner"
    with beam.pipelines(Settings("blur"), 1, options, folder) as workers:
        list(workers.anonymise([_task(folder)]))


def test_a_folder_that_is_lost_hides_no_error(tmp_path):
    workers = beam.pipelines(Settings("blur"), 1, "", tmp_path)
    workers.__enter__()
    (folder,) = tmp_path.iterdir()
    folder.rmdir()
    error = KeyboardInterrupt()
    assert not workers.__exit__(KeyboardInterrupt, error, None)


def _clip(path: pathlib.Path, embedded, numbers: tuple[int, int]) -> pathlib.Path:
    frames = pictures([embedded[number].image for number in numbers], NUM_FRAMES)
    return write_clip(path, frames, audio_codec="aac")


def _bytes(out: pathlib.Path) -> dict[str, bytes]:
    """Contents of a folder; of the report what does not name the folder."""
    files = {path.name: path.read_bytes() for path in out.iterdir()}
    report = json.loads(files.pop("report.json"))
    return {**files, "report.json": json.dumps(report["photos"]).encode()}


@pytest.mark.slow  # photos: test_pool.py; videos: the next test
def test_photos_and_videos_are_those_of_one_machine(tmp_path, embedded):
    """Two pipelines: people of the first are seen again in the second."""
    folder, kinds = _photos(tmp_path / "in", embedded, ["a", "b"]), {}
    _clip(folder / "c.mp4", embedded, (0, -1))
    (folder / "d.mp4").write_bytes(b"no video")
    _clip(folder / "e.mp4", embedded, (-1, 8))
    write_clip(folder / "wall.mp4", [np.full((120, 160, 3), 90, np.uint8)] * 3)
    for name, make in (
        ("here", functools.partial(processes, number=2)),
        ("beam", functools.partial(beam.pipelines, options="", output=tmp_path)),
    ):
        out, table = tmp_path / name, tmp_path / f"{name}.csv"
        with BatchRun((str(folder),), out, Settings("warp"), make, tracks=table) as run:
            kinds[name] = [result.kind for result in run.results()]
    assert kinds["here"] == kinds["beam"]
    assert kinds["here"] == [*["replaced"] * 3, "failed", "replaced", "no face"]
    here = _bytes(tmp_path / "here")
    assert sorted(here) == ["a.png", "b.png", "c.mp4", "e.mp4", "report.json"]
    assert here == _bytes(tmp_path / "beam")
    assert len({(tmp_path / f"{name}.csv").read_bytes() for name in kinds}) == 1
    assert not list(tmp_path.glob(".*"))


def test_a_video_that_was_done_is_remembered(tmp_path, embedded):
    """The second run searches it again, so that later videos show the same people.

    It equals a run of two processes here.
    """
    first = _clip(tmp_path / "c.mp4", embedded, (0, -1))
    later = _clip(tmp_path / "e.mp4", embedded, (-1, 8))
    by_beam = functools.partial(beam.pipelines, options="", output=tmp_path / "out")
    made = [
        _made(tmp_path / name, files, make)
        for name, files, make in (
            ("out", [first], lambda settings, _: in_thread(settings)),
            ("out", [first, later], by_beam),
            ("again", [first, later], functools.partial(processes, number=2)),
        )
    ]
    assert made[1] == made[2]


def _made(out, files, make):
    """The last file's video, and the table of all faces."""
    table, inputs = out.with_suffix(".csv"), tuple(map(str, files))
    with BatchRun(inputs, out, Settings("warp"), make, tracks=table) as run:
        assert {result.kind for result in run.results()} == {"replaced"}
    return (out / files[-1].name).read_bytes(), table.read_bytes()
