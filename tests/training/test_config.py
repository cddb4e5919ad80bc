"""Which fields of a config a resume may change."""

import json

import pytest

from anonygan_jax.training.config import save_config


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
