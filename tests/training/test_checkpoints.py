"""Checkpoints of which a file is damaged."""

import pathlib
import shutil

import chex
import pytest
from restored_step import STEPS, make_state

from anonygan_jax.training.checkpoints import Checkpoints

IN_NO_ARRAY = ("_CHECKPOINT_METADATA", "_sharding", "commit_success.txt")


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> pathlib.Path:
    """A folder with a checkpoint of each of the steps."""
    workdir = tmp_path_factory.mktemp("saved")
    checkpoints = Checkpoints(workdir, num_kept=len(STEPS))
    for step in STEPS:
        checkpoints.save(make_state(step))
    checkpoints.close()
    return workdir


@pytest.mark.parametrize("share", ["removed", 0, 0.5])
def test_whatever_file_of_the_newest_is_cut_a_whole_state_is_restored(
    saved, share, tmp_path, capfd, caplog
):
    newest = saved / "checkpoints" / str(STEPS[-1])
    files = [path.relative_to(saved) for path in newest.rglob("*") if path.is_file()]
    assert len(files) > 10
    for number, file in enumerate(files):
        workdir = tmp_path / f"{number}"
        shutil.copytree(saved, workdir)
        content = (saved / file).read_bytes()
        if share == "removed":
            (workdir / file).unlink()
        else:
            (workdir / file).write_bytes(content[: int(share * len(content))])
        caplog.clear()
        checkpoints = Checkpoints(workdir, num_kept=len(STEPS))
        restored = checkpoints.restore_latest(make_state(0))
        checkpoints.close()
        assert restored is not None
        chex.assert_trees_all_equal(restored, make_state(int(restored.step)))
        lines = [record for record in caplog.records if "cannot be read" in record.msg]
        assert len(lines) == (int(restored.step) != STEPS[-1])
        if file.name not in IN_NO_ARRAY:
            assert not capfd.readouterr().err, file  # Orbax said nothing of its own
        capfd.readouterr()


def test_arrays_that_are_cut_are_not_used(saved, tmp_path):
    shutil.copytree(saved, tmp_path / "run")
    folder = tmp_path / "run" / "checkpoints" / str(STEPS[-1]) / "training"
    largest = max(folder.rglob("d/*"), key=lambda path: path.stat().st_size)
    largest.write_bytes(b"")
    checkpoints = Checkpoints(tmp_path / "run", num_kept=len(STEPS))
    restored = checkpoints.restore_latest(make_state(0))
    checkpoints.close()
    assert restored is not None
    assert int(restored.step) == STEPS[0]
    assert [path.name for path in (tmp_path / "run" / "checkpoints").glob("damaged*")]
