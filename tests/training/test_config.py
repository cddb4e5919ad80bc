"""Which fields of a config a resume may change."""

import json
import math

import pytest

from anonygan_jax.data.config import DataConfig, PairConfig
from anonygan_jax.training.config import RunConfig, save_config
from anonygan_jax.training.optimiser import OptimiserConfig


def _changed(config, **fields):
    """The config with other values of some fields."""
    config = config.copy_and_resolve_references().unlock()
    config.update_from_flattened_dict(
        {name.replace("__", "."): value for name, value in fields.items()}
    )
    return config.lock()


@pytest.fixture
def started(tiny_config, tmp_path):
    """A workdir, and the config with which its run was started."""
    config = _changed(tiny_config, data__composites="embedded")
    save_config(config, tmp_path)
    return tmp_path, config


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("data__directory", "other/place"),
        ("data__composites", "packs/embedded.npz"),
        ("data__num_workers", 3),
        ("data__loader", "device"),
        ("losses__pose", 2.0),
        ("optimiser__num_steps", 400),
    ],
)
def test_a_resume_may_move_data_and_change_losses(started, name, value):
    workdir, config = started
    save_config(_changed(config, **{name: value}), workdir)
    section, field = name.split("__")
    written = json.loads((workdir / "config.json").read_text())
    assert written[section][field] == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model__width", 8),
        ("pairs__supervised_share", 0.5),
        ("data__seed", 1),
        ("data__composites", ""),
    ],
)
def test_a_resume_must_not_change_model_or_pairs(started, name, value):
    workdir, config = started
    before = (workdir / "config.json").read_text()
    message = rf"differs in config\.{name.replace('__', '.')}; choose another"
    with pytest.raises(ValueError, match=message):
        save_config(_changed(config, **{name: value}), workdir)
    assert (workdir / "config.json").read_text() == before


def test_a_workdir_with_a_removed_field_is_refused_if_it_had_an_effect(started):
    workdir, config = started
    older = json.loads((workdir / "config.json").read_text())
    older["optimiser"]["num_accumulated"] = 2
    (workdir / "config.json").write_text(json.dumps(older))
    with pytest.raises(ValueError, match=r"config\.optimiser\.num_accumulated is 2"):
        save_config(config, workdir)
    older["optimiser"]["num_accumulated"] = 1
    (workdir / "config.json").write_text(json.dumps(older))
    save_config(config, workdir)
    assert "num_accumulated" not in (workdir / "config.json").read_text()


def test_a_workdir_of_another_system_is_refused(started):
    from configs import ciagan

    workdir, _ = started
    with pytest.raises(ValueError, match=r"differs in config\..*system; choose"):
        save_config(ciagan.get_config("tiny"), workdir)


def test_a_resume_with_other_settings_says_which(started, caplog):
    workdir, config = started
    rate = config.optimiser.generator_learning_rate
    changed = _changed(config, optimiser__generator_learning_rate=rate / 2)
    save_config(changed, workdir)
    expected = f"config.optimiser.generator_learning_rate: {rate / 2}, it was {rate}"
    assert [record.message for record in caplog.records] == [
        f"resumed with another {expected}"
    ]


def test_a_run_past_its_last_step_is_refused(started):
    workdir, config = started
    (workdir / "checkpoints" / "40" / "generator").mkdir(parents=True)
    before = (workdir / "config.json").read_text()
    with pytest.raises(ValueError, match=r"checkpoint of step 40.*num_steps is 20"):
        save_config(_changed(config, optimiser__num_steps=20), workdir)
    assert (workdir / "config.json").read_text() == before
    save_config(_changed(config, optimiser__num_steps=40), workdir)


def test_a_workdir_that_cannot_be_written_to_is_named(tiny_config, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"run cannot be written to \(Not a dir"):
        save_config(tiny_config, tmp_path / "file" / "run")


@pytest.mark.parametrize(
    ("section", "kind", "field", "value", "expected"),
    [
        ("run", RunConfig, "log_every_x_steps", 0, "at least 1"),
        ("run", RunConfig, "checkpoint_every_x_steps", 0, "at least 1"),
        ("run", RunConfig, "picture_every_x_steps", -1, "at least 0"),
        ("optimiser", OptimiserConfig, "num_steps", 0, "at least 1"),
        ("optimiser", OptimiserConfig, "ema_decay", 1.5, "0 to 1"),
        ("optimiser", OptimiserConfig, "generator_learning_rate", math.nan, "0 to 1"),
        ("data", DataConfig, "image_size", (112, 0), "at least 16"),
        ("data", DataConfig, "batch_size", -3, "at least 1"),
        ("pairs", PairConfig, "supervised_share", 2, "0 to 1"),
    ],
)
def test_numbers_out_of_their_range_are_refused(
    section, kind, field, value, expected, tiny_config
):
    fields = tiny_config[section].to_dict()
    kind(**fields)
    with pytest.raises(ValueError, match=rf"^{section}\.{field} is .*{expected}"):
        kind(**fields | {field: value})
