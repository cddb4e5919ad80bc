"""Runs steps on a mesh and writes what comes out; started by test_sharding.py.

    python tests/sharded_step.py OUTPUT NUM_FSDP [PORT PROCESS_ID NUM_PROCESSES]

Devices and precision come from the environment (XLA_FLAGS, JAX_ENABLE_X64).
"""

import pathlib
import sys

import jax

ROOT = pathlib.Path(__file__).parent.parent
sys.path[:0] = [str(ROOT)]


def main(output: str, num_fsdp: str, port: str = "", *process: str) -> None:
    """Two steps of a small network."""
    if port:
        process_id, num_processes = (int(word) for word in process)
        address = f"127.0.0.1:{port}"
        jax.distributed.initialize(address, num_processes, process_id)
    import numpy as np
    from jax.experimental import multihost_utils

    from anonygan_jax import building, sharding
    from anonygan_jax.data.feeding import feed
    from configs import composites

    sharding.MIN_SIZE = 64  # so that small parameters are split, too
    config = composites.get_config().unlock()
    config.model.width = config.model.discriminator_width = 4
    config.model.num_blocks, config.model.num_nodes = 1, 8
    config.data.image_size, config.data.batch_size = (48, 48), 16
    config.data.landmark_jitter = 1.0
    config.data.loader = "device" if int(num_fsdp) > 1 else "memory"
    config.model.dropout_rate = 0.5
    config.augmentation.flip_share = 0.5
    train_step = building.make_train_step(config)
    config.sharding.num_fsdp = int(num_fsdp)
    mesh = building.make_mesh(config)
    batches = building.open_batches(config, train_step.system)
    key = jax.random.key(0)
    state = building.create_state(train_step, key, batches.batch(0), mesh)
    step = building.compile_step(
        train_step, key, state, sharding.to_devices(batches.batch(0), mesh)
    )
    for batch in feed(batches, 0, 2, mesh):
        state, values = step(state, batch)
    split = [x.sharding.spec for x in jax.tree.leaves(state.params)]
    whole = multihost_utils.process_allgather((state, values), tiled=True)
    leaves = {
        jax.tree_util.keystr(path): np.asarray(leaf)
        for path, leaf in jax.tree_util.tree_leaves_with_path(whole)
    }
    leaves["num_split"] = np.array(sum(spec != () for spec in map(tuple, split)))
    leaves["num_devices"] = np.array(jax.device_count())
    if jax.process_index() == 0:
        np.savez(output, allow_pickle=False, **leaves)


if __name__ == "__main__":
    main(*sys.argv[1:])
