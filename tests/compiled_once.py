"""Training whose programs are traced and compiled once in a process."""

import functools
import json
from collections.abc import Callable
from typing import Any

import jax
import ml_collections
import numpy as np
import pytest

from anonygan_jax.systems.train_state import TrainState
from anonygan_jax.training import factory


def share(patch: pytest.MonkeyPatch) -> None:
    """Lets runs share steps and first states if their configs make the same ones."""
    create = _once(factory.create_state, _step_and_key)
    for name, shared in (
        ("make_train_step", _once(factory.make_train_step, _sections)),
        ("compile_step", _once(factory.compile_step, _step_and_key)),
        ("create_state", lambda *arguments: _copied(create(*arguments))),
    ):
        patch.setattr(factory, name, shared)


def _once(make: Callable, name: Callable) -> Callable:
    """What makes one thing for all arguments of one name."""
    made: dict[Any, Any] = {}

    @functools.wraps(make)
    def shared(*arguments):
        known = name(*arguments)
        if known not in made:
            made[known] = make(*arguments)
        return made[known]

    return shared


def _sections(config: ml_collections.ConfigDict) -> str:
    """What of a config is in its programs; without a falling rate no last step is."""
    sections = json.loads(config.to_json_best_effort())
    del sections["run"]
    optimiser = sections["optimiser"]
    if optimiser["num_steps"] <= optimiser["decay_from_step"]:
        del optimiser["num_steps"]
    return json.dumps(sections, sort_keys=True)


def _step_and_key(step, key: jax.Array, *others) -> tuple:
    """The step is one object of each config; shapes of all else."""
    shapes = jax.tree.map(lambda x: getattr(x, "shape", x), others)
    return step, jax.random.key_data(key).tobytes(), str(shapes)


def _copied(state: TrainState) -> TrainState:
    """Arrays of its own, which a step may donate."""
    return jax.tree.map(
        lambda x: jax.device_put(np.asarray(x), x.sharding, may_alias=False), state
    )
