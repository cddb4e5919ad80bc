"""The training step compiles for a TPU that is not here."""

from anonygan_jax.chips import GIB
from launch import aot_tpu


def test_a_small_topology_compiles_and_tells_its_cost(tiny_config):
    compiled = aot_tpu.compile_step(tiny_config, "v5e:2x2", 4)
    cost = aot_tpu.cost_of(compiled)
    assert 0 < cost.arguments + cost.temporaries + cost.code < GIB
    assert 0 < cost.seconds < 0.1
    assert cost.flops > 1e7
    count, carried = cost.collectives["all-reduce"]
    assert count > 0
    assert carried > 1e4  # the gradients
    assert aot_tpu.line("v5e:2x2", 4, cost).startswith("| v5e:2x2 | 4 | 0.0")
