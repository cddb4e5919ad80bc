"""A system of one array, whose programs compile at once: for tests of the loop."""

import dataclasses
from collections.abc import Collection
from typing import ClassVar

import jax
import jax.numpy as jnp
import pytest

from anonygan_jax.systems.system import GENERATOR
from anonygan_jax.training import factory


@dataclasses.dataclass(frozen=True)
class ToySystem:
    """See `System`; gradients are functions of all that those of others are.

    Attributes:
      lost_steps: of which the term "pose" is not finite.
      broken_steps: of which one number of the gradients is not finite.
      learns: whether gradients are not 0.
    """

    lost_steps: Collection[int] = ()
    broken_steps: Collection[int] = ()
    learns: bool = True
    networks: ClassVar = (GENERATOR,)
    frozen: ClassVar = {}
    uses_warped_condition: ClassVar = False

    def check_num_people(self, num_people):
        """Any number is accepted."""

    def init(self, rng, batch):
        """Large enough for a full disk."""
        weights = {"weights": jax.random.normal(rng, (64, 64))}
        return {GENERATOR: {"params": weights, "batch_stats": {"mean": jnp.zeros(3)}}}

    def gradients(self, state, batch, rng):
        step = state.step + 1
        pose = jax.random.normal(rng) + batch.source.mean() / 255
        (weights,) = state.params[GENERATOR].values()
        gradient = (0.1 * weights + pose) * self.learns
        broken = _is_one_of(step, self.broken_steps)
        gradient = gradient.at[0, 0].set(jnp.where(broken, jnp.inf, gradient[0, 0]))
        stats = jax.tree.map(lambda x: x + 1, state.batch_stats)
        lost = _is_one_of(step, self.lost_steps)
        losses = {"pose": jnp.where(lost, jnp.nan, pose), "appearance": pose**2}
        return {GENERATOR: {"weights": gradient}}, stats, losses


def train_toys(patch: pytest.MonkeyPatch, system: ToySystem) -> None:
    """Lets runs train this system, whatever their config says."""
    make = factory.make_train_step

    def make_train_step(config):
        step = make(config)
        return dataclasses.replace(step, system=system, gradients=system.gradients)

    patch.setattr(factory, "make_train_step", make_train_step)


def _is_one_of(step, steps):
    return jnp.isin(step, jnp.array(tuple(steps), jnp.int32))
