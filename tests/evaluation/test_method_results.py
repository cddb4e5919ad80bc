"""Folders of a method's results: one for each title, and none of it is stale."""

import pathlib
import shutil

import pytest
from PIL import Image

from anonygan_jax.anonymise.batch.result_names import OccupiedError
from anonygan_jax.evaluation.method_results import folder_name, make_results

pytestmark = pytest.mark.usefixtures("in_this_process")


@pytest.fixture
def photos(tmp_path, embedded) -> dict[str, pathlib.Path]:
    path = tmp_path / "a.png"
    Image.fromarray(embedded[0].image).save(path)
    return {"sub/a": path}


def test_titles_have_folders_of_their_own():
    titles = ["blur", "anonygan:runs/a-b", "anonygan:runs/a_b", "a b", "a_b", "Blur"]
    titles += ["x" * 300, "x" * 301, "../up"]
    names = [folder_name(title) for title in titles]
    assert len({name.casefold() for name in names}) == len(titles)
    assert names[0] == "blur"
    for name in names:
        assert pathlib.Path(name).name == name
        assert len(name) < 100


def test_results_of_an_older_checkpoint_are_not_measured(photos, tiny_run, tmp_path):
    run, out = tmp_path / "run", tmp_path / "out"
    shutil.copytree(tiny_run, run)
    checkpoints = run / "checkpoints"
    shutil.rmtree(checkpoints / "4")  # the run is at step 2

    def result() -> int:
        made = make_results({"mine": f"anonygan:{run}"}, {}, photos, out, 1)
        assert made.folders == {"mine": out / "mine"}
        path = out / "mine" / "sub" / "a.png"
        return path.stat().st_ino

    first = result()
    assert result() == first  # nothing is made twice
    shutil.copytree(tiny_run / "checkpoints" / "4", checkpoints / "4")
    assert result() != first


def test_results_of_older_photos_are_not_measured(photos, embedded, tmp_path):
    results = []
    for number in (0, 40):
        Image.fromarray(embedded[number].image).save(photos["sub/a"])
        make_results({"blur": "blur"}, {}, photos, tmp_path / "out", 1)
        results.append((tmp_path / "out" / "blur" / "sub" / "a.png").read_bytes())
    assert results[0] != results[1]


def test_files_of_others_among_the_results_are_refused(photos, tmp_path):
    path = tmp_path / "out" / "blur" / "sub" / "a.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"of another tool")
    with pytest.raises(OccupiedError, match=r"a\.png is there and is no result"):
        make_results({"blur": "blur"}, {}, photos, tmp_path / "out", 1)
    assert path.read_bytes() == b"of another tool"
