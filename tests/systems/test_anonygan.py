"""One step against the official release's, and what a step must do."""

import dataclasses
import json
import types

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict
from golden_values import FOLDER, load, nhwc, points_xy, state_dict

from anonygan_jax.data.augmentation import AugmentationConfig
from anonygan_jax.data.batches import BatchLoader, PairBatch
from anonygan_jax.data.config import DataConfig, PairConfig
from anonygan_jax.faces.face import REDUCED_29
from anonygan_jax.faces.masks import FACE_CONTOUR, PAPER_POLYGON
from anonygan_jax.models.config import ModelConfig
from anonygan_jax.models.face_mask import face_mask
from anonygan_jax.systems import losses
from anonygan_jax.systems.anonygan import AnonyGAN
from anonygan_jax.systems.loss_terms import LossConfig
from anonygan_jax.systems.pair import Pair
from anonygan_jax.systems.train_state import TrainState
from anonygan_jax.training.factory import make_train_step
from anonygan_jax.training.optimiser import OptimiserConfig
from anonygan_jax.training.step import TrainStep
from anonygan_jax.weights import anonygan

OFFICIAL = {
    "generator": "anonygan_generator_full68",
    "appearance_discriminator": "anonygan_discriminator_appearance",
    "pose_discriminator": "anonygan_discriminator_pose",
}
TERMS = {
    "appearance": "appearance",
    "pose": "pose",
    "context_matching": "feature_matching",
    "reconstruction": "reconstruction",
    "generator": "total",
    "appearance_discriminator": "discriminator_appearance",
    "pose_discriminator": "discriminator_pose",
}


class _GoldenPairs(AnonyGAN):
    """Takes the stored floats and mask instead of making them from a batch."""

    def prepare(self, batch: PairBatch) -> Pair:
        golden = load("anonygan_train_step.npz")
        mask, source = nhwc(golden["mask"]), nhwc(golden["source"])
        return Pair(
            condition=nhwc(golden["condition"]),
            source=source,
            mask=mask,
            masked_source=source * (1 - mask),
            condition_points_xy=points_xy(golden["condition_landmarks_yx"]),
            source_points_xy=points_xy(golden["source_landmarks_yx"]),
            is_supervised=batch.is_supervised,
        )


@pytest.fixture(scope="module")
def golden_step():
    """Gradients, running statistics and metrics for the stored inputs."""
    variables = {}
    for name, official in OFFICIAL.items():
        kind = "generator" if name == "generator" else "discriminator"
        convert = getattr(anonygan, f"{kind}_variables")
        variables[name] = convert(state_dict(official))
    model = ModelConfig(68, True, 64, 6, 64, 0.0, None, 64)
    terms = LossConfig(context_matching=1.0, reconstruction=10.0)
    system = _GoldenPairs(model, terms)
    params, stats = (
        {name: v[kind] for name, v in variables.items()}
        for kind in ("params", "batch_stats")
    )
    state = TrainState(jnp.zeros((), jnp.int32), params, stats, {}, None)
    same = jnp.asarray(load("anonygan_train_step.npz")["same_identity"])
    batch = PairBatch(None, None, None, None, same)
    return jax.jit(
        lambda s: system.gradients(s, batch, jax.random.key(0)),
        compiler_options={"xla_backend_optimization_level": 1},  # large: it runs longer
    )(state)


def _expected() -> dict:
    return json.loads((FOLDER / "anonygan_train_step.json").read_text())


@pytest.mark.parametrize("term", TERMS)
def test_loss_terms_equal_the_releases(golden_step, term):
    expected = _expected()["losses"][TERMS[term]]
    np.testing.assert_allclose(golden_step[2][term], expected, rtol=1e-4)


@pytest.mark.parametrize("network", OFFICIAL)
def test_gradient_norms_equal_the_releases(golden_step, network):
    key = network
    if network != "generator":
        key = "discriminator_" + network.removesuffix("_discriminator")
    norms = _expected()[f"{key}_grad_norms"]
    # Our name of each official tensor: port its own number and see where it lands.
    kind = "generator" if network == "generator" else "discriminator"
    convert = getattr(anonygan, f"{kind}_variables")
    weights = state_dict(OFFICIAL[network])
    numbers = {name: float(i) for i, name in enumerate(weights)}
    tagged = {name: np.full(w.shape, numbers[name]) for name, w in weights.items()}
    places = flatten_dict(convert(tagged)["params"])
    number_at = {path: float(np.ravel(leaf)[0]) for path, leaf in places.items()}
    by_number = {number: path for path, number in number_at.items()}
    grads = flatten_dict(golden_step[0][network])
    assert len(norms) == len(grads)
    for name, expected in norms.items():
        norm = float(jnp.linalg.norm(grads[by_number[numbers[name]]]))
        if expected < 1e-6:  # a bias before BatchNorm, or nearly: rounding alone
            assert norm < 2e-6, name
        else:
            np.testing.assert_allclose(norm, expected, rtol=1e-2, err_msg=name)


def test_running_statistics_equal_the_releases(golden_step):
    golden = load("anonygan_train_step.npz")
    stats = golden_step[1]["generator"]
    for official, ours in (
        ("stream1_down.2", stats["appearance_encoder_norm0"]),
        ("att.0.gcn.blocker", stats["block0"]["graph"]["norm"]),
    ):
        for name in ("mean", "var"):
            expected = golden[f"running/{official}.running_{name}"]
            np.testing.assert_allclose(ours[name], expected, atol=1e-5)


OPTIMISER = OptimiserConfig(1e-2, 1e-2, 0.5, 0.999, 10, 5, 0.75)


def _step(system):
    return TrainStep(system, OPTIMISER, AugmentationConfig(), system.gradients)


def _system(terms: LossConfig = LossConfig(), **fields) -> AnonyGAN:  # noqa: B008
    """A small system."""
    model = dataclasses.replace(ModelConfig(29, True, 4, 1, 4, 0.0, None, 4), **fields)
    return AnonyGAN(model, terms)


@pytest.fixture(scope="module")
def small():
    """A small system with its state and a batch."""
    system = _system(dropout_rate=0.5)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 4, 52, 48, 3), np.uint8)
    points = rng.uniform(4, 44, (2, 4, 68, 2)).astype(np.float32)
    same = np.array([True, True, False, True])
    batch = PairBatch(images[0], images[1], points[0], points[1], same)
    key = jax.random.key(0, impl="rbg")
    return system, jax.jit(_step(system).init)(key, batch), batch


def test_a_step_updates_every_parameter_and_the_average(small):
    system, state, batch = small
    step = _step(system)
    after, _ = jax.jit(step)(state, batch, jax.random.key(0, impl="rbg"))
    assert int(after.step) == 1
    for path, leaf in flatten_dict(after.params).items():
        before = flatten_dict(state.params)[path]
        assert (leaf != before).any(), path
    expected = jax.tree.map(
        lambda old, new: 0.75 * old + 0.25 * new,
        state.params["generator"],
        after.params["generator"],
    )
    chex.assert_trees_all_close(after.ema_params, expected, atol=1e-6)


def test_the_sources_face_never_reaches_the_generator(small):
    system, state, batch = small
    pair = system.prepare(batch)
    inside = np.asarray(pair.mask[..., 0]) == 1
    assert inside.any()
    source = np.array(batch.source)
    source[inside] = 255 - source[inside]
    other = system.prepare(batch.replace(source=source))
    variables = state.generator_variables()
    generate = jax.jit(system.generate)
    np.testing.assert_array_equal(generate(variables, pair), generate(variables, other))


def test_the_mask_is_the_contour_with_a_warped_condition_and_the_papers_without(small):
    *_, batch = small
    batch = batch.replace(warped_condition=batch.source)
    size = batch.source.shape[1:3]
    for uses_warped_condition, region in ((True, FACE_CONTOUR), (False, PAPER_POLYGON)):
        system = _system(uses_warped_condition=uses_warped_condition)
        expected = face_mask(batch.source_points_xy, size, region)
        np.testing.assert_array_equal(system.prepare(batch).mask, expected)


def test_reduced_landmarks_are_jaw_bridge_and_inner_lips(small):
    system, _, batch = small
    pair = system.prepare(batch)
    expected = batch.source_points_xy[:, list(REDUCED_29)]
    np.testing.assert_array_equal(pair.source_points_xy, expected)
    assert REDUCED_29[17:21] == (27, 28, 29, 30)
    assert len(REDUCED_29) == 29


def test_learning_rate_is_constant_then_falls_to_zero():
    config = OptimiserConfig(1.0, 0.5, 0.5, 0.999, 100, 60, 0.9)
    rate = config.schedule(1.0)
    assert [float(rate(s)) for s in (0, 59, 80, 100)] == [1, 1, 0.5, 0]


def test_logged_rates_are_those_with_which_a_step_was_made():
    config = dataclasses.replace(OPTIMISER, discriminator_learning_rate=1e-3)
    for step, share in ((1, 1), (6, 1), (7, 0.8), (10, 0.2)):
        assert config.learning_rates(step) == {
            "learning_rate/generator": pytest.approx(share * 1e-2),
            "learning_rate/discriminator": pytest.approx(share * 1e-3),
        }


def test_wrong_numbers_of_landmarks_are_refused():
    with pytest.raises(ValueError, match="wanted 68 or 29"):
        ModelConfig(30, True, 4, 1, 4, 0.5, None, 4)


def test_a_step_with_warped_conditions_has_their_loss_and_keeps_all_shapes(
    refine_config,
):
    step = make_train_step(refine_config)
    data, pairs = DataConfig(**refine_config.data), PairConfig(**refine_config.pairs)
    batch = BatchLoader(data, pairs, uses_warped_condition=True).batch(0)
    key = jax.random.key(0, impl="rbg")
    state = jax.eval_shape(step.init, key, batch)
    after, metrics = jax.eval_shape(step, state, batch, key)
    assert metrics["low_frequency_l1"].shape == ()
    chex.assert_trees_all_equal_shapes_and_dtypes(after, state)


def _gradients(system, state, batch):
    key = jax.random.key(0, impl="rbg")
    return jax.jit(system.gradients)(state, batch, key)


def test_bfloat16_stays_near_and_keeps_parameters_and_losses_in_float32(small):
    _, state, batch = small
    exact, rough = (
        _gradients(_system(compute_dtype=dtype), state, batch)
        for dtype in ("float32", "bfloat16")
    )
    kinds = {leaf.dtype for leaf in jax.tree.leaves(rough)}
    assert kinds == {jnp.dtype("float32")}
    for name, value in exact[2].items():
        np.testing.assert_allclose(rough[2][name], value, rtol=0.03, atol=0.01)
    one, other = (
        np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(x[0]["generator"])])
        for x in (exact, rough)
    )
    cosine = one @ other / (np.linalg.norm(one) * np.linalg.norm(other))
    assert 0.95 < cosine < 1 - 1e-6  # 0.98 on these four noisy pictures


def test_other_precisions_are_refused():
    with pytest.raises(ValueError, match="compute_dtype is 'float16', wanted one of"):
        _system(compute_dtype="float16")


def test_context_matching_weighs_pairs_of_two_people_as_the_config_says():
    rng = np.random.default_rng(0)
    fake, real = (rng.normal(size=(2, 4, 4, 3)).astype(np.float32) for _ in range(2))
    picture, points = jnp.zeros((2, 8, 8, 3)), jnp.zeros((2, 68, 2))
    same = jnp.array([True, False])
    pair = Pair(*(picture, picture, picture[..., :1], picture, points, points), same)
    fakes = {name: ([fake], jnp.zeros((2, 1))) for name in ("appearance", "pose")}
    results = {"appearance": types.SimpleNamespace(real=([real], None))}
    apart = np.abs(fake - real).mean((1, 2, 3))
    for share in (1.0, 0.25):
        terms = LossConfig(context_matching_different_identity=share)
        system = AnonyGAN(ModelConfig(68, True, 4, 1, 4, 0.0, None, 4), terms)
        _, metrics = system.generator_loss(picture, fakes, results, pair, None)
        expected = 0.8 * (apart[0] + share * apart[1]) / 2
        np.testing.assert_allclose(metrics["context_matching"], expected, rtol=1e-5)


UNEVEN = ([True, False, True, False], [True, True, False, True], [False] * 4)


class _Shares:
    """A system of one number with a loss of each kind of pairs."""

    def gradients(self, state, batch, rng):
        def loss(weight):
            no_images = dict.fromkeys(Pair.__dataclass_fields__)
            shares = (batch.is_supervised, batch.supervised_share)
            names = ("is_supervised", "supervised_share")
            pair = Pair(**no_images | dict(zip(names, shares, strict=True)))
            value = weight * (batch.source / 255).mean((1, 2, 3))
            same = losses.weighted_mean(value**2, pair.supervised_weight)
            other = losses.weighted_mean(jnp.exp(value), pair.other_weight)
            return same + other, {"same": same, "other": other}

        gradient, metrics = jax.grad(loss, has_aux=True)(state)
        return {"generator": gradient}, {}, metrics


@pytest.mark.parametrize("same", UNEVEN)
def test_parts_of_a_batch_give_the_gradients_of_the_whole(same):
    images = np.random.default_rng(1).integers(0, 256, (4, 6, 5, 3), np.uint8)
    batch = PairBatch(images, images, None, None, np.array(same))
    parts = dataclasses.replace(OPTIMISER, num_microbatches=2)
    whole, parted = (
        jax.jit(dataclasses.replace(_step(_Shares()), config=c).batch_gradients)(
            jnp.float32(0.7), batch, jax.random.key(1)
        )
        for c in (OPTIMISER, parts)
    )
    chex.assert_trees_all_close(parted, whole, rtol=1e-5)
    shares = (np.mean(same) > 0, np.mean(same) < 1)
    assert tuple(bool(whole[2][name] > 0) for name in ("same", "other")) == shares


@pytest.mark.slow
def test_parts_of_a_batch_give_the_gradients_of_the_networks():
    terms = LossConfig(low_frequency_l1=1.0, context_matching_different_identity=0.0)
    system = _system(terms, uses_warped_condition=True)
    rng = np.random.default_rng(1)
    # Each part has the same pictures, so the same batch statistics as the whole.
    images = rng.integers(0, 256, (3, 2, 52, 48, 3), np.uint8).repeat(2, axis=1)
    points = rng.uniform(4, 44, (2, 2, 68, 2)).astype(np.float32).repeat(2, axis=1)
    fields = (images[0], images[1], points[0], points[1])
    step, key = _step(system), jax.random.key(0, impl="rbg")
    parted = dataclasses.replace(
        step, config=dataclasses.replace(OPTIMISER, num_microbatches=2)
    )
    for same in UNEVEN:
        batch = PairBatch(*fields, np.array(same), None, images[2])
        state = jax.jit(step.init)(key, batch)
        whole, parts = (
            jax.jit(one.batch_gradients)(state, batch, jax.random.key(1))
            for one in (step, parted)
        )
        # Not running statistics, whose variance is corrected for the part's size.
        for one, other in zip(whole[::2], parts[::2], strict=True):
            chex.assert_trees_all_close(one, other, rtol=1e-3, atol=1e-5)
