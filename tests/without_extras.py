"""Programs where no package of an extra is installed."""

import subprocess
import sys

from conftest import ROOT

from anonygan_jax.io import extras

PROGRAM = """
import importlib.machinery, runpy, sys
missing, module = sys.argv.pop(1).split(","), sys.argv.pop(1)
find = importlib.machinery.PathFinder.find_spec
importlib.machinery.PathFinder.find_spec = lambda name, *rest: (
    None if name.partition(".")[0] in missing else find(name, *rest)
)
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


def run(module: str, *arguments: str) -> tuple[int, str]:
    """Returns exit code and screen of `python -m module`."""
    missing = {name for names in extras.PACKAGES.values() for name in names}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, ",".join(missing), module, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
