"""Many photos by several processes: the same results, reasons, and going on."""

import functools

import numpy as np
import pytest
from PIL import Image

from anonygan_jax.anonymise.batch import beam
from anonygan_jax.anonymise.batch.contents import About
from anonygan_jax.anonymise.batch.output_folder import OutputFolder
from anonygan_jax.anonymise.batch.pool import in_thread, processes
from anonygan_jax.anonymise.batch.task import Task
from anonygan_jax.anonymise.batch.worker import Worker
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.io.inputs import PhotoFile
from anonygan_jax.io.kinds import PHOTO
from anonygan_jax.weights.checkpoint_folder import CheckpointError


def _anonymise(photos, folder, output, make_workers):
    """Results of photos."""
    tasks, settings = [], Settings("auto")
    with OutputFolder.opened(output, About.of(settings)) as results:
        for path in photos:
            name = "_".join(path.relative_to(folder).parts)
            tasks.append(results.task(PhotoFile(path, name), output / f"{name}.png"))
        with make_workers(settings, len(tasks)) as workers:
            made = workers.anonymise(tasks)
            return [
                (result.photo, result.kind, result.reason, result.faces)
                for result in map(results.settle, tasks, made)
            ]


def _assert_equal_pictures(one, other):
    """Both folders hold the same pictures and nothing else."""
    written = sorted(path.name for path in one.iterdir())
    assert written == sorted(path.name for path in other.iterdir())
    written.remove("report.json")
    for name in written:
        pixels = (np.asarray(Image.open(folder / name)) for folder in (one, other))
        np.testing.assert_array_equal(*pixels)


def test_results_do_not_depend_on_the_workers(photo_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(beam, "PHOTOS_PER_PIPELINE", 4)
    makers = {
        "one": lambda settings, _: in_thread(settings),
        "two": functools.partial(processes, number=2),
        "beam": functools.partial(beam.pipelines, options="", output=tmp_path),
    }
    photos, kinds = sorted(photo_folder.rglob("*.*")), {}
    for name, make in makers.items():
        kinds[name] = _anonymise(photos, photo_folder, tmp_path / name, make)
    assert kinds["one"] == kinds["two"] == kinds["beam"]
    assert {kind for _, kind, _, _ in kinds["one"]} == {"replaced", "no face", "failed"}
    _assert_equal_pictures(tmp_path / "one", tmp_path / "two")
    _assert_equal_pictures(tmp_path / "one", tmp_path / "beam")
    assert not list(tmp_path.glob(".*"))


def test_a_runner_of_no_kind_of_beam_is_refused(photo_folder, tmp_path):
    task = Task(*[tmp_path / "a.png", "a.png", PHOTO], *[tmp_path / "b.png"] * 2)
    options = "--runner=NoRunner"
    with (
        pytest.raises(ValueError, match="NoRunner"),
        beam.pipelines(Settings("warp"), 1, options, tmp_path) as workers,
    ):
        list(workers.anonymise([task]))
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_beam_gives_the_same_results_of_200_photos(embedded, tmp_path):
    folder, photos = tmp_path / "photos", []
    folder.mkdir()
    for number, face in enumerate(embedded[:200]):
        photos.append(folder / f"{number}.png")
        Image.fromarray(face.image).save(photos[-1])
    options = "--direct_num_workers=2 --direct_running_mode=multi_processing"
    by_beam = functools.partial(beam.pipelines, options=options, output=tmp_path)
    kinds = [
        _anonymise(photos, folder, tmp_path / name, make)
        for name, make in (("here", processes), ("beam", by_beam))
    ]
    assert kinds[0] == kinds[1]
    assert [kind for _, kind, _, _ in kinds[0]].count("replaced") > 190
    _assert_equal_pictures(tmp_path / "here", tmp_path / "beam")


def test_methods_are_named_with_their_checkpoints(photo_folder):
    settings = Settings.of_method("anonygan:runs/a:b")
    assert (settings.method, settings.checkpoint) == ("anonygan", "runs/a:b")
    assert Settings.of_method("warp").checkpoint == "embedded"
    with pytest.raises(ValueError, match="unknown method"):
        Worker(Settings.of_method("swirl"))
    with pytest.raises(CheckpointError, match=r"no config\.json there"):
        Worker(Settings.of_method(f"anonygan:{photo_folder}"))
