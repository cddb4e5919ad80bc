"""CIAGAN in training: inputs, gradients, stages, resume in either stage."""

import dataclasses

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anonygan_jax.systems import losses
from anonygan_jax.systems.registry import make_system
from anonygan_jax.training import factory
from anonygan_jax.training.loop import train_and_evaluate
from anonygan_jax.weights import checkpoint_folder
from anonygan_jax.weights.generator_checkpoint import read_arrays
from configs import ciagan

KEY = jax.random.key(0, impl="rbg")


@pytest.fixture(scope="module")
def config(tiny_config):
    """Two steps of each stage, of networks that compile soon."""
    config = ciagan.get_config("tiny").unlock()
    config.model.num_blocks = 2
    config.model.num_identities = 60
    config.data.directory = "embedded"
    config.data.image_size = (32, 32)
    config.data.batch_size = 4
    config.optimiser.num_pretraining_steps = 2
    config.optimiser.num_steps = 4
    config.run = tiny_config.run.copy_and_resolve_references()
    with config.unlocked():
        config.run.checkpoint_every_x_steps = 1
        config.run.num_checkpoints = 4
    return config.lock()


@pytest.fixture(scope="module")
def started(config, compiled_once):
    """System, state before the first step of the run, batch."""
    step, mesh = factory.make_train_step(config), factory.make_mesh(config)
    batch = factory.open_batches(config, step.system).batch(0)
    key = jax.random.key(config.run.seed, impl=factory.RNG_IMPL)
    return step.system, factory.create_state(step, key, batch, mesh), batch


@pytest.fixture(scope="module")
def run(config, tmp_path_factory, compiled_once):
    """A finished run."""
    workdir = tmp_path_factory.mktemp("ciagan")
    return workdir, train_and_evaluate(config, workdir)


def test_the_generator_sees_no_face(started):
    system, _, batch = started
    pair = system.prepare(batch)
    other = dataclasses.replace(
        batch, source=np.where(pair.mask > 0, 255 - batch.source, batch.source)
    )
    np.testing.assert_array_equal(system.prepare(other).given, pair.given)
    assert np.abs(np.diff(pair.given, axis=1)).max() > 0
    assert pair.identity.shape == (4, 60)
    np.testing.assert_array_equal(pair.identity.argmax(-1), batch.condition_person)


def test_people_are_numbered_alike_in_every_batch(config, started):
    system, *_ = started
    batches = factory.open_batches(config, system)
    person_of = {}
    for step in range(40):
        batch = batches.batch(step)
        for image, person in zip(batch.condition, batch.condition_person, strict=True):
            assert person_of.setdefault(image.tobytes(), person) == person
    assert set(person_of.values()) <= set(range(batches.sampler.num_people))
    assert len(set(person_of.values())) > 30
    few = config.copy_and_resolve_references().unlock()
    few.model.num_identities = 5
    with pytest.raises(ValueError, match=r"people to draw, but model\.num_identities"):
        factory.open_batches(few, make_system(few))


def test_gradients_are_those_of_the_losses_written_out(started):
    """Against jax.grad of the whole expression, as the paper has it."""
    system, state, batch = started
    grads, stats, metrics = jax.jit(system.gradients)(state, batch, KEY)
    assert set(grads) == set(stats) == {"generator", "critic"}
    pair = system.prepare(batch)

    def apply(network, params, name, *inputs):
        variables = {"params": params, "batch_stats": state.batch_stats[name]}
        return network.apply(variables, *inputs, True, mutable=["batch_stats"])[0]

    def terms(params):
        drawn = apply(
            system.generator,
            params["generator"],
            "generator",
            pair.given,
            pair.identity,
        )
        fake = pair.mask * drawn + (1 - pair.mask) * pair.source
        logits = apply(
            system.critic,
            params["critic"],
            "critic",
            jnp.concatenate([pair.source, fake]),
            jnp.concatenate([pair.drawing] * 2),
        )
        variables = {
            "params": state.params["siamese"],
            "batch_stats": state.batch_stats["siamese"],
        }
        one, other = (
            system.siamese.apply(variables, image, False)
            for image in (fake, jnp.asarray(pair.condition))
        )
        near = jnp.mean(jnp.sum((one - other) ** 2, -1))
        generator = jnp.mean((logits[4:] - 1) ** 2) + near
        critic = (jnp.mean((logits[:4] - 1) ** 2) + jnp.mean(logits[4:] ** 2)) / 2
        return generator, critic

    @jax.jit
    def written_out(params):
        values, pull_back = jax.vjp(terms, params)
        of_generator, of_critic = (pull_back(x)[0] for x in ((1.0, 0.0), (0.0, 1.0)))
        gradients = of_generator["generator"], of_critic["critic"]
        return values, dict(zip(("generator", "critic"), gradients, strict=True))

    params = {name: state.params[name] for name in ("generator", "critic")}
    (generator, critic), expected = written_out(params)
    assert metrics["generator"] == pytest.approx(float(generator), rel=1e-5)
    assert metrics["critic"] == pytest.approx(float(critic), rel=1e-5)
    for name, tree in expected.items():
        scales = jax.tree.map(lambda x: np.abs(x).max() + 1e-4, tree)
        one, other = (jax.tree.map(np.divide, x, scales) for x in (grads[name], tree))
        chex.assert_trees_all_close(one, other, rtol=1e-7, atol=1e-4)


def test_contrastive_loss_in_numpy():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 6, 5)).astype(np.float32)
    same = np.array([True, False, False, True, False, True])
    distance = np.linalg.norm(one - other, axis=-1)
    expected = np.where(same, distance**2, np.clip(3.5 - distance, 0, None) ** 2).mean()
    assert losses.contrastive(one, other, same, 3.5) == pytest.approx(expected, 1e-5)
    gradient = jax.grad(losses.contrastive)(one, one, ~same, 3.5)
    assert np.isfinite(gradient).all()  # at distance 0, too


def test_each_stage_trains_its_networks_alone(config, run, started):
    pretraining, training = factory.make_stages(config)
    assert (pretraining.stop, training.stop) == (2, 4)
    workdir, state = run
    saved = {step: _saved(workdir, step) for step in (1, 2, 4)}
    _, before, _ = started
    for name in ("generator", "critic"):
        assert _equal(before.params[name], saved[2]["params"][name])
        assert _equal(saved[1]["opt_state"][name], saved[2]["opt_state"][name])
    assert not _equal(before.params["siamese"], saved[2]["params"]["siamese"])
    for kind in ("params", "batch_stats", "opt_state"):
        assert _equal(saved[2][kind]["siamese"], saved[4][kind]["siamese"])
        assert not _equal(saved[2][kind]["generator"], saved[4][kind]["generator"])
    counts = {k: int(v[0].count) for k, v in state.opt_state.items()}
    assert counts == {"siamese": 2, "generator": 2, "critic": 2}
    lines = (workdir / "metrics.jsonl").read_text().splitlines()
    assert ["siamese" in line for line in lines] == [True, True, False, False]


def _saved(workdir, step):
    """What is resumed from a step."""
    return read_arrays(workdir / "checkpoints" / str(step) / "training")


@pytest.mark.slow
@pytest.mark.parametrize("stop", [1, 3], ids=["pretraining", "training"])
def test_a_run_that_stopped_in_either_stage_ends_the_same(
    config, run, stop, tmp_path, monkeypatch
):
    from anonygan_jax.training import loop

    def iterate_on_devices(batches, start, end, mesh):
        yield from real(batches, start, min(end, stop), mesh)
        if end >= stop:
            raise KeyboardInterrupt

    real = loop.iterate_on_devices
    monkeypatch.setattr(loop, "iterate_on_devices", iterate_on_devices)
    with pytest.raises(KeyboardInterrupt):
        train_and_evaluate(config, tmp_path)
    monkeypatch.undo()
    assert checkpoint_folder.saved_steps(tmp_path)[-1] == stop
    state = train_and_evaluate(config, tmp_path)
    chex.assert_trees_all_equal(state.params, run[1].params)
    chex.assert_trees_all_equal(state.opt_state, run[1].opt_state)
    chex.assert_trees_all_equal(state.ema_params, run[1].ema_params)


def test_only_ciagan_is_pretrained(tiny_config):
    config = tiny_config.copy_and_resolve_references().unlock()
    config.optimiser.num_pretraining_steps = 3
    with pytest.raises(ValueError, match="anonygan has no pretraining"):
        factory.make_stages(config)
    config.system = "swirl"
    with pytest.raises(ValueError, match="'swirl', wanted one of anonygan, ciagan"):
        make_system(config)


def _equal(one, other) -> bool:
    """Whether all arrays are, bit for bit."""
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)
