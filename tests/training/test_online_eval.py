"""What training measures of itself: generators whose answer is known."""

import jax.numpy as jnp
import pytest

from anonygan_jax.data.batches import BatchLoader
from anonygan_jax.data.config import DataConfig, PairConfig
from anonygan_jax.data.pairs import is_held_out
from anonygan_jax.data.stores import open_store
from anonygan_jax.training.factory import make_system
from anonygan_jax.training.online_eval import OnlineEvaluation


@pytest.fixture(scope="module")
def batches(tiny_config) -> BatchLoader:
    data = tiny_config.data.to_dict() | {"image_size": (112, 92), "zoom": 1.4}
    pairs = tiny_config.pairs.to_dict() | {"held_out_share": 0.3}
    return BatchLoader(DataConfig(**data), PairConfig(**pairs))


class Drawn:
    """A system whose generator draws something given."""

    def __init__(self, config, draw) -> None:
        self._system, self._draw = make_system(config), draw

    def pictures(self, variables, batch) -> dict:
        pair = self._system.prepare(batch)
        return {"composite": pair.composite(self._draw(pair))}


class NoState:
    def generator_variables(self) -> dict:
        return {}


def test_a_generator_that_hides_nothing_and_one_that_hides_all(tiny_config, batches):
    reveals = Drawn(tiny_config, lambda pair: pair.source)
    hides = Drawn(tiny_config, lambda pair: jnp.zeros_like(pair.source))
    same = OnlineEvaluation(reveals, batches, 6)(NoState())
    assert same["evaluation/detected"] == 1
    assert same["evaluation/reidentified"] == 1
    assert same["evaluation/pose_l2"] < 0.02
    gone = OnlineEvaluation(hides, batches, 6)(NoState())
    assert gone["evaluation/detected"] < 0.5
    assert gone["evaluation/reidentified"] < 0.5


def test_its_people_are_those_held_out(batches):
    identities, _ = open_store("embedded").labels()
    images = batches.images()

    def names(pictures):
        numbers = [(images == picture).all((1, 2, 3)).argmax() for picture in pictures]
        return {identities[number] for number in numbers}

    measured = batches.different_identity_pairs(30, held_out=True)
    assert all(is_held_out(name, 0.3) for name in names(measured.source))
    assert not any(is_held_out(name, 0.3) for name in names(batches.batch(0).source))


def test_faces_too_small_for_dlib_are_reported(tiny_config):
    data = tiny_config.data.to_dict() | {"image_size": (28, 24)}
    small = BatchLoader(DataConfig(**data), PairConfig(**tiny_config.pairs))
    system = Drawn(tiny_config, lambda pair: pair.source)
    with pytest.raises(ValueError, match="dlib finds no face in the training"):
        OnlineEvaluation(system, small, 4)
