"""The training program, which takes long to compile: python slow_compiling.py FLAGS."""

import runpy
import sys
import time

from anonygan_jax.training import factory

SECONDS = 40  # Gloo waits for 30


def _slowly(make):
    def slow(*arguments):
        time.sleep(SECONDS)
        return make(*arguments)

    return slow


if __name__ == "__main__":
    factory.create_state = _slowly(factory.create_state)
    factory.lower_step = _slowly(factory.lower_step)
    sys.argv[0] = "anonygan_jax.main"
    runpy.run_module("anonygan_jax.main", run_name="__main__", alter_sys=True)
