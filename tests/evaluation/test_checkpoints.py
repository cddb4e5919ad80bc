"""Evaluation of checkpoints: the newest, all, and while they come and go."""

import json
import os
import pathlib
import shutil

import pytest

from anonygan_jax.evaluation import checkpoints
from anonygan_jax.weights import checkpoint_folder, export, generator_checkpoint


@pytest.fixture
def config(tiny_config, tmp_path):
    config = tiny_config.copy_and_resolve_references().unlock()
    config.evaluation.originals = str(tmp_path)
    config.evaluation.methods = ("blur",)
    config.evaluation.pairs = str(tmp_path / "pairs.txt")
    return config.lock()


@pytest.fixture
def run(tiny_run, tmp_path) -> pathlib.Path:
    """A finished run of one's own."""
    return shutil.copytree(tiny_run, tmp_path / "run")


@pytest.fixture
def asked(monkeypatch) -> list:
    """Evaluations that were asked for, each with the step of its checkpoint."""
    asked = []

    def record(evaluation, output):
        (title,) = [t for t in evaluation.methods if t != "blur"]
        folder = pathlib.Path(evaluation.methods[title].partition(":")[2])
        asked.append(
            (evaluation, output, generator_checkpoint.load_generator(folder)[2])
        )
        output.mkdir(parents=True, exist_ok=True)
        (output / "results.json").write_text("{}")

    monkeypatch.setattr(checkpoints, "evaluate", record)
    return asked


@pytest.mark.parametrize("system", ["anonygan", "ciagan"])
def test_a_run_is_measured_as_what_it_trains(config, run, asked, system):
    config = config.copy_and_resolve_references().unlock()
    config.system = system
    checkpoints.evaluate_run(config, run)
    ((evaluation, _, _),) = asked
    assert evaluation.methods["run, step 4"].startswith(f"{system}:")


def test_the_newest_checkpoint_is_measured_beside_other_methods(
    config, run, asked, tmp_path
):
    checkpoints.evaluate_run(config, run)
    ((evaluation, output, step),) = asked
    assert step == 4
    assert output.name == "00000004"
    assert list(evaluation.methods) == ["blur", "run, step 4"]
    assert evaluation.pairs == tmp_path / "pairs.txt"
    assert evaluation.inception_weights is None
    with pytest.raises(
        checkpoint_folder.CheckpointError, match="no checkpoint there yet"
    ):
        checkpoints.evaluate_run(config, tmp_path)


def test_a_watcher_measures_each_checkpoint_once_and_ends(
    config, run, asked, monkeypatch, tmp_path
):
    steps = iter([[], [2], [2, 4]])
    monkeypatch.setattr(checkpoint_folder, "saved_steps", lambda _: next(steps))
    copied = []
    monkeypatch.setattr(
        export,
        "export_generator",
        lambda workdir, output, step: copied.append(step),
    )
    monkeypatch.setattr(
        generator_checkpoint, "load_generator", lambda _: (0, 0, copied[-1])
    )
    checkpoints.watch_run(config, tmp_path, poll_seconds=0)
    assert [step for _, _, step in asked] == [2, 4]
    assert all("blur" not in evaluation.methods for evaluation, _, _ in asked)


def test_a_checkpoint_that_is_newer_than_its_report_is_measured_again(
    config, run, asked
):
    checkpoints.watch_run(config, run, poll_seconds=0)
    checkpoints.watch_run(config, run, poll_seconds=0)
    assert [step for _, _, step in asked] == [2, 4]
    report = run / "evaluation" / "00000004" / "results.json"
    newer = report.stat().st_mtime_ns + 10**9
    os.utime(run / "checkpoints" / "4", ns=(newer, newer))  # of a run begun anew
    checkpoints.watch_run(config, run, poll_seconds=0)
    assert [step for _, _, step in asked] == [2, 4, 4]


def test_a_checkpoint_that_was_removed_is_skipped(config, run, asked, tmp_path, caplog):
    shutil.rmtree(run / "checkpoints" / "2" / "generator" / "d")
    checkpoints.watch_run(config, run, poll_seconds=0)
    assert [step for _, _, step in asked] == [4]
    assert "skipped" in caplog.text
    assert "step 2 is damaged or was removed" in caplog.text


@pytest.mark.slow
def test_a_run_s_table_from_photos(config, run, photo_folder):
    config = config.copy_and_resolve_references().unlock()
    config.evaluation.originals = str(photo_folder)
    config.evaluation.pairs = ""
    config.evaluation.use_mtcnn = False
    checkpoints.evaluate_run(config, run)
    results = run / "evaluation" / "00000004" / "results.json"
    data = json.loads(results.read_text())
    titles = [row["title"] for row in data["rows"]]
    assert titles == ["original", "blur", "run, step 4"]
