"""Every variant of the published table, and what the release can switch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.spatial

from anonygan_jax.io import extras
from anonygan_jax.models.config import ModelConfig
from anonygan_jax.systems.anonygan import AnonyGAN
from anonygan_jax.systems.embedders import Embedder
from anonygan_jax.systems.loss_terms import LossConfig
from anonygan_jax.systems.train_state import TrainState
from anonygan_jax.training.factory import make_train_step, open_batches
from anonygan_jax.weights import torch_files
from configs import celeba, ciagan, composites, faces, lfw
from launch.aot_tpu import abstract_batch

KEY = jax.random.key(0, impl="rbg")
ROWS = {  # context matching, landmark attention, landmarks, parameters of G in millions
    "paper": (True, True, 68, 28.39),
    "no_cm": (False, True, 68, 28.39),
    "no_cm_la": (False, False, 68, 28.39),
    "no_cm_la_29": (False, False, 29, 28.15),
}


def _tiny(config):
    """The same config with small networks and pictures."""
    config = config.copy_and_resolve_references().unlock()
    config.model.width = config.model.discriminator_width = 4
    config.model.num_blocks, config.model.num_nodes = 1, 4
    config.model.heatmap_grid = None
    config.data.image_size = (48, 48)
    return config


def _batch(config, batch_size: int = 2):
    """Noise for faces."""
    rng = np.random.default_rng(0)

    def draw(shape):
        if shape.dtype == np.float32:
            return rng.uniform(5, 43, shape.shape).astype(np.float32)
        return rng.integers(0, 256, shape.shape).astype(shape.dtype)

    return jax.tree.map(draw, abstract_batch(config, batch_size))


@pytest.mark.parametrize("row", ROWS)
def test_rows_of_the_ablation_are_what_they_are_called(row):
    config = celeba.get_config(row)
    matching, attention, num_landmarks, millions = ROWS[row]
    step = make_train_step(config)
    batch = abstract_batch(config, 2)
    state = jax.eval_shape(step.init, KEY, batch)
    generator = state.params["generator"]
    assert ("landmark_attention" in generator) == attention
    kernel = generator["shape_encoder_conv0"]["kernel"]
    assert kernel.shape == (7, 7, 2 * num_landmarks, 64)
    count = sum(leaf.size for leaf in jax.tree.leaves(generator))
    assert round(count / 1e6, 2) == millions
    after, metrics = jax.eval_shape(step, state, batch, KEY)
    assert ("context_matching" in metrics) == matching
    assert jax.tree.structure(after) == jax.tree.structure(state)


@pytest.mark.parametrize("row", ROWS)
def test_the_reduced_rows_differ_in_what_the_rows_differ_in(row):
    matching, attention, num_landmarks, _ = ROWS[row]
    config, whole = lfw.get_config(row).unlock(), lfw.get_config()
    assert (config.losses.context_matching > 0) == matching
    config.losses.context_matching = whole.losses.context_matching
    assert config.model.use_landmark_attention == attention
    config.model.use_landmark_attention = True
    assert config.model.num_landmarks == num_landmarks
    config.model.num_landmarks = 68
    assert config.lock() == whole
    with pytest.raises(ValueError, match="unknown variant 'tiny': paper, no_cm, "):
        lfw.get_config("tiny")


@pytest.mark.parametrize("config", [celeba, ciagan, composites, faces, lfw])
def test_a_config_reads_its_data_without_an_extra(config, monkeypatch):
    monkeypatch.setattr(extras, "are_installed", lambda *packages: False)
    config = config.get_config().unlock()
    config.data.directory, config.data.repeats = "embedded", (1,)
    config.pairs.min_photos_per_identity = 2
    system = make_train_step(config).system
    assert open_batches(config, system).batch(0).source.dtype == np.uint8


@pytest.mark.slow
@pytest.mark.parametrize("row", celeba.ABLATION)
def test_rows_of_the_ablation_train_a_step(row):
    config = _tiny(celeba.get_config(row))
    step, batch = make_train_step(config), _batch(config)
    state = jax.jit(step.init)(KEY, batch)
    after, metrics = jax.jit(step)(state, batch, KEY)
    assert all(np.isfinite(value) for value in metrics.values())
    moved = jax.tree.map(lambda a, b: bool((a != b).any()), state.params, after.params)
    assert all(jax.tree.leaves(moved))


def test_all_options_of_the_release_together_train_a_step():
    config = _tiny(celeba.get_config("paper"))
    config.model.use_masked_source = False
    config.model.discriminators = ("appearance", "pose", "image", "identity")
    config.losses.context_matching_from = "image"
    step, batch = make_train_step(config), _batch(config)
    state = jax.jit(step.init)(KEY, batch)
    after, metrics = jax.jit(step)(state, batch, KEY)
    assert all(np.isfinite(value) for value in metrics.values())
    names = {f"{name}_discriminator" for name in config.model.discriminators}
    assert set(after.params) == names | {"generator"}
    kernel = after.params["generator"]["appearance_encoder_conv0"]["kernel"]
    assert kernel.shape[2] == 3
    moved = jax.tree.map(lambda a, b: bool((a != b).any()), state.params, after.params)
    assert all(jax.tree.leaves(moved))


def test_without_a_masked_source_only_the_face_is_drawn():
    config = _tiny(celeba.get_config("paper"))
    config.model.use_masked_source = False
    system = make_train_step(config).system
    assert isinstance(system, AnonyGAN)
    batch = _batch(config)
    state = jax.jit(make_train_step(config).init)(KEY, batch)
    pair = system.prepare(batch)
    output, _ = jax.jit(system.generate_in_training)(
        state.params["generator"], state, pair, KEY
    )
    outside = np.asarray(pair.mask)[..., 0] == 0
    np.testing.assert_array_equal(output[outside], pair.source[outside])


def _only(**weights: float) -> LossConfig:
    """Weights of some terms; the others have none."""
    usual = ("appearance", "pose", "context_matching", "reconstruction")
    return LossConfig(**dict.fromkeys(usual, 0.0) | weights)


class MeanColour:
    """The embedding is the mean colour."""

    def apply(self, variables, image):
        return jnp.asarray(image.mean((1, 2)) * variables)


def test_arcface_compares_output_and_condition():
    config = _tiny(celeba.get_config("paper"))
    terms = _only(arcface=10.0)
    weights = np.array([1.0, 2.0, 3.0], np.float32)
    model = ModelConfig(**config.model)
    embedder = Embedder(MeanColour(), weights, lambda x: x)
    system = AnonyGAN(model, terms, {"arcface": embedder})
    batch, rng = _batch(config), np.random.default_rng(1)
    one, other = rng.integers(0, 256, (2, 2, 1, 1, 3)).astype(np.uint8)
    plain = np.zeros((2, 48, 48, 3), np.uint8)
    pair = system.prepare(batch.replace(source=plain + one, condition=plain + other))
    state = TrainState(0, {}, {}, {}, {}, system.frozen)
    total, _ = system.generator_loss(pair.source, {}, {}, pair, state)
    one, other = (
        np.asarray(x).mean((1, 2)) * weights for x in (pair.source, pair.condition)
    )
    expected = np.mean(
        [scipy.spatial.distance.cosine(a, b) for a, b in zip(one, other, strict=True)]
    )
    np.testing.assert_allclose(total, 10 * expected, rtol=1e-3)


def test_a_composite_must_not_be_nearer_to_the_source_than_the_warped_condition():
    config = _tiny(celeba.get_config("paper"))
    config.model.uses_warped_condition = True
    terms = _only(identity_leak=4.0)
    model = ModelConfig(**config.model)
    embedder = Embedder(MeanColour(), np.ones(3), lambda x: x)
    system = AnonyGAN(model, terms, {"identity_leak": embedder})
    batch, rng = _batch(config), np.random.default_rng(1)
    pictures = rng.integers(0, 256, (2, 2, 48, 48, 3)).astype(np.uint8)
    pair = system.prepare(
        batch.replace(
            warped_condition=pictures[0], is_supervised=np.array([False, True])
        )
    )
    output = pictures[1].astype(np.float32) / 127.5 - 1
    output += (
        0.5
        * (np.asarray(pair.source).mean((1, 2)) - output.mean((1, 2)))[:, None, None]
    )
    state = TrainState(0, {}, {}, {}, {}, system.frozen)
    total, metrics = system.generator_loss(output, {}, {}, pair, state)
    mask, source, warped_condition = (
        np.asarray(x) for x in (pair.mask, pair.source, pair.warped_condition)
    )
    composite = mask * output + (1 - mask) * source
    made, allowed = (
        np.linalg.norm((face[0] - source[0]).mean((0, 1)))
        for face in (composite, warped_condition)
    )
    assert allowed > made
    np.testing.assert_allclose(metrics["identity_leak"], allowed - made, rtol=1e-3)
    np.testing.assert_allclose(total, 4 * metrics["identity_leak"], rtol=1e-6)


@pytest.mark.parametrize("term", ["identity_leak", "low_frequency_l1"])
def test_terms_of_warped_conditions_need_them(term):
    config = _tiny(celeba.get_config("paper"))
    config.losses[term] = 1.0
    with pytest.raises(ValueError, match=rf"{term} needs model\.uses_warped_condition"):
        make_train_step(config)


def test_terms_without_weight_are_left_out_and_the_others_summed():
    config = _tiny(celeba.get_config("paper"))
    config.losses.pose, config.losses.context_matching = 0.0, 0.0
    config.losses.appearance, config.losses.reconstruction = 0.5, 3.0
    step, batch = make_train_step(config), _batch(config)
    state = jax.jit(step.init)(KEY, batch)
    _, _, metrics = jax.jit(step.system.gradients)(state, batch, KEY)
    assert set(metrics) == {
        *("appearance", "reconstruction", "generator"),
        *("appearance_discriminator", "pose_discriminator"),
    }
    total = 0.5 * metrics["appearance"] + 3 * metrics["reconstruction"]
    np.testing.assert_allclose(metrics["generator"], total, rtol=1e-6)


def test_the_embedders_file_is_needed(tmp_path):
    config = _tiny(celeba.get_config("paper"))
    config.losses.arcface = 10.0
    with pytest.raises(ValueError, match=r"set losses\.arcface_weights"):
        make_train_step(config)
    config.losses.arcface_weights = str(tmp_path / "none.pth")
    with pytest.raises(torch_files.TorchFileError, match=r"none\.pth: no such file"):
        make_train_step(config)


def test_discriminators_and_features_must_exist():
    config = _tiny(celeba.get_config("paper"))
    config.losses.context_matching_from = "image"
    with pytest.raises(ValueError, match=r"context_matching_from is 'image'"):
        make_train_step(config)
    config.model.discriminators = ("appearance", "other")
    with pytest.raises(ValueError, match=r"model\.discriminators has other"):
        make_train_step(config)
