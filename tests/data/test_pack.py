"""Packs: the faces of a folder in one file that NumPy and Pillow read."""

import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from anonygan_jax.cli import main
from anonygan_jax.data.dataset import FaceDataset
from anonygan_jax.data.pack import FacePack, PackError
from anonygan_jax.data.stores import open_store
from configs import faces as faces_config

NOT_NEEDED = (
    *("tensorflow", "tensorflow_datasets", "array_record", "tensorboard"),
    *("dlib", "onnxruntime", "av", "mtcnn", "sklearn", "skimage"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the pack of the embedded faces."""
    output = tmp_path_factory.mktemp("packs")
    result = _pack("embedded", "--output", output)
    assert result.exit_code == 0, result.output
    assert f"{output / 'embedded.npz'}: 0." in result.output
    return output


def _pack(*arguments: object):
    texts = ["prepare", "--pack", *(str(a) for a in arguments)]
    return CliRunner().invoke(main.main, texts)


def test_a_pack_has_the_faces_of_its_folder_as_training_sees_them(folder):
    opened = [open_store("embedded"), FacePack(folder / "embedded.npz")]
    (names, _), (packed_names, _) = (store.labels() for store in opened)
    assert packed_names == names
    stored, packed = (
        FaceDataset([store], [store.labels()[1]], (112, 92), 1.4) for store in opened
    )
    apart = np.abs(packed.points_xy - stored.points_xy)
    assert apart.max() <= 1 / 16
    numbers = np.arange(len(names))
    error = stored.read(numbers).astype(float) - packed.read(numbers)
    assert 10 * np.log10(255**2 / np.square(error).mean()) > 36  # decibels


def test_a_run_from_packs_needs_neither_tensorflow_nor_dlib(folder):
    code = f"""
import sys
sys.modules.update(dict.fromkeys({NOT_NEEDED!r}))
import anonygan_jax.main
from anonygan_jax.systems.registry import make_system
from anonygan_jax.training import factory
from configs import faces

config = faces.get_config("gpu").unlock()
config.data.directory = config.data.composites = {str(folder / "embedded.npz")!r}
config.data.repeats = (1,)
config.data.batch_size = 3
config.data.num_workers = 1
batches = factory.open_batches(config, make_system(config))
print(batches.batch(0).warped_condition.shape)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[-2] == "(3, 112, 92, 3)"


def test_the_gpu_recipe_trains_the_same_network():
    cpu, gpu = (faces_config.get_config(name) for name in ("cpu", "gpu"))
    different = {
        *("data.directory", "data.composites", "data.batch_size"),
        *(
            "data.num_workers",
            "optimiser.num_steps",
            "optimiser.decay_from_step",
        ),
        *(f"run.{what}_every_x_steps" for what in ("checkpoint", "evaluate", "log")),
        *("run.picture_every_x_steps", "model.convolution"),
    }
    parts = {name.partition(".")[0] for name in different}
    parts |= {"model", "pairs", "losses", "augmentation"}
    found = {
        f"{part}.{name}"
        for part in parts
        for name, value in cpu[part].items()
        if gpu[part][name] != value
    }
    assert found == different
    with pytest.raises(ValueError, match="unknown variant 'tpu': cpu, gpu"):
        faces_config.get_config("tpu")


def test_what_is_no_pack_or_does_not_fit_is_told(folder, tmp_path):
    whole = (folder / "embedded.npz").read_bytes()
    (tmp_path / "broken.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.npz").write_text("faces")
    for path in (tmp_path / f"{name}.npz" for name in ("broken", "text", "missing")):
        with pytest.raises(PackError, match=r"no pack of faces.*prepare --pack"):
            open_store(str(path))
    pack = open_store(str(folder / "embedded.npz"))
    with pytest.raises(ValueError, match=r"112x92 pixels at zoom 1\.4, wanted 96x80"):
        FaceDataset([pack], [pack.labels()[1]], (96, 80), 1.0)


def test_a_folder_that_cannot_be_packed_is_told(tmp_path):
    for arguments, said in (
        (("embedded", "embedded"), "two of embedded, embedded have one name"),
        ((tmp_path,), "no prepared faces there"),
        (("embedded", "--aligned"), "--pack takes folders of records and no photos"),
    ):
        result = _pack(*arguments, "--output", tmp_path / "out")
        assert result.exit_code != 0
        assert said in result.output
    assert not (tmp_path / "out").exists()


def _changed(path, **arrays) -> None:
    """A pack with other arrays."""
    with np.load(path) as file:
        every = {**file, **arrays}
    np.savez(path, **{k: v for k, v in every.items() if v is not None})


@pytest.mark.parametrize(
    "change",
    [
        {"starts": None},
        {"starts": np.array([0, 10**9])},
        {"starts": np.array([-1] * 1000)},
        {"starts": np.array(["x"])},
        {"identities": np.array([1, 2])},
        {"identities": np.array(b"ann")},
        {"points_xy": np.full((1, 68, 2), np.nan)},
        {"points_xy": np.zeros((1, 5, 2))},
        {"pictures": np.zeros(8)},
        {"about": "{"},
        {"about": "[" * 100_000},
        {"about": "[]"},
        {"about": '{"version": 1, "size": [1e999, 2], "zoom": 1}'},
        {"about": '{"version": 1, "size": [1], "zoom": 1}'},
        {"about": '{"version": 9, "size": [1, 2], "zoom": 1}'},
    ],
    ids=lambda value: str(value)[:40],
)
def test_damaged_packs_are_named(folder, change, tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes((folder / "embedded.npz").read_bytes())
    _changed(path, **change)
    with pytest.raises(PackError, match=r"a\.npz: no pack of faces"):
        FacePack(path)


def test_a_damaged_picture_is_named(folder, tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes((folder / "embedded.npz").read_bytes())
    with np.load(path) as file:
        pictures = file["pictures"].copy()
    pictures[:20] = 0
    _changed(path, pictures=pictures)
    with pytest.raises(PackError, match=r"a\.npz: face 0: cannot be decoded"):
        FacePack(path).images([0])
