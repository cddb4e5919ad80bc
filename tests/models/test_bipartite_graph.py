"""Graph reasoning against loops over nodes and positions."""

import jax
import jax.numpy as jnp
import numpy as np

from anonygan_jax.models.bipartite_graph import BipartiteGraphReasoning

HALF, STATES, NODES = 3, 3, 2


def _relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def _side(own: np.ndarray, other: np.ndarray, params: dict, graph: dict) -> np.ndarray:
    """One side, position by position; own and other are [P, C]."""
    states = own @ params["state"]["kernel"][0, 0] + params["state"]["bias"]
    crossed = (
        other @ params["projection"]["kernel"][0, 0] + params["projection"]["bias"]
    )
    nodes = np.zeros((NODES, STATES))
    for position in range(len(own)):
        for node in range(NODES):
            nodes[node] += crossed[position, node] * states[position]
    messages = graph["adjacency"].T @ nodes + graph["bias"][:, None]
    nodes = _relu(nodes + messages) @ graph["weight"]
    back = np.stack([crossed[position] @ nodes for position in range(len(own))])
    normalised = back @ params["extend"]["kernel"][0, 0] / np.sqrt(1 + 1e-4)
    return own + normalised * params["norm"]["scale"]


def test_equals_loops_over_nodes_and_positions():
    rng = np.random.default_rng(0)
    q = jnp.asarray(rng.standard_normal((2, 4, 5, 2 * HALF)), jnp.float32)
    module = BipartiteGraphReasoning(STATES, NODES)
    variables = module.init(jax.random.key(0), q, False)
    variables = jax.tree.map(
        lambda x: jnp.asarray(rng.uniform(0.5, 1, x.shape), jnp.float32), variables
    )
    ones = {"mean": jnp.zeros(HALF), "var": jnp.ones(HALF)}
    variables["batch_stats"] = {"norm": ones}
    variables["params"]["norm"]["bias"] = jnp.zeros(HALF)
    result = module.apply(variables, q, False)
    params = jax.tree.map(np.asarray, variables["params"])
    for sample in range(2):
        condition, source = np.split(np.asarray(q[sample]).reshape(20, -1), 2, axis=1)
        expected = np.concatenate(
            [
                _side(condition, source, params, params["graph_condition"]),
                _side(source, condition, params, params["graph_source"]),
            ],
            axis=1,
        )
        np.testing.assert_allclose(
            result[sample].reshape(20, -1), expected, rtol=1e-4, atol=1e-4
        )


def test_running_statistics_move_twice_a_step():
    q = jnp.ones((1, 2, 2, 2 * HALF))
    module = BipartiteGraphReasoning(STATES, NODES)
    variables = module.init(jax.random.key(0), q, False)
    _, updates = module.apply(variables, q, True, mutable=["batch_stats"])
    np.testing.assert_allclose(updates["batch_stats"]["norm"]["var"], 0.81, rtol=1e-5)
