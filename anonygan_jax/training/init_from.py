"""The generator of another run as the initial one of a new run."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from anonygan_jax.systems.system import GENERATOR
from anonygan_jax.systems.train_state import TrainState
from anonygan_jax.weights import checkpoint_folder, generator_checkpoint


def read_initial(checkpoint: str) -> dict[str, Any]:
    """Returns the variables of a generator.

    Args:
      checkpoint: a run's folder, an export of it, or "embedded".

    Raises:
      CheckpointError: there is no generator.
    """
    path = checkpoint_folder.checkpoint_path(checkpoint)
    _, variables, _ = generator_checkpoint.load_generator(path)
    return variables


def init_from(
    state: TrainState, variables: dict[str, Any], checkpoint: str
) -> TrainState:
    """Returns a state whose generator and average are the generator of another run.

    Args:
      state: before the first step.
      variables: of `read_initial`.
      checkpoint: where they are from, for messages.

    Raises:
      CheckpointError: the variables have other names or shapes than the state's.
    """
    like = state.generator_variables()
    there, wanted = (
        {jax.tree_util.keystr(path): leaf.shape for path, leaf in leaves}
        for leaves in map(jax.tree_util.tree_leaves_with_path, (variables, like))
    )
    for name in sorted(there.keys() | wanted.keys()):
        if there.get(name) != wanted.get(name):
            raise checkpoint_folder.CheckpointError(
                f"run.init_from: the generator in {checkpoint} differs from the "
                f"config's in {name}: {there.get(name)}, wanted {wanted.get(name)}"
            )
    placed = jax.tree.map(
        lambda new, old: jax.device_put(np.asarray(new, old.dtype), old.sharding),
        variables,
        like,
    )
    return dataclasses.replace(
        state,
        params=state.params | {GENERATOR: placed["params"]},
        batch_stats=state.batch_stats | {GENERATOR: placed["batch_stats"]},
        ema_params=jax.tree.map(jnp.copy, placed["params"]),
    )
