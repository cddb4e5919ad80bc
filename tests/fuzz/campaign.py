"""Fuzzes one decoder for some time: python tests/fuzz/campaign.py photos --seconds 600.

Inputs are read in a process of their own, so that a segmentation fault is counted, too.
Input and traceback of each fault are left in --output.
"""

import argparse
import collections
import contextlib
import faulthandler
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
import traceback

import numpy as np

TESTS = pathlib.Path(__file__).parents[1]
sys.path[:0] = [str(TESTS.parent), str(TESTS)]

from fuzz.decoders import DECODERS, Decoder  # noqa: E402
from fuzz.mutations import damaged  # noqa: E402

HANGS_AFTER = 60  # seconds for one input
MEMORY = 8 << 30  # bytes that one process may map
STATE, COUNTS = "input", "counts.json"


def campaign(name: str, seconds: float, output: pathlib.Path) -> dict[str, object]:
    """Returns the numbers of inputs and faults of a decoder.

    Args:
      name: of `DECODERS`.
      seconds: how long.
      output: folder for what made a fault.
    """
    output.mkdir(parents=True, exist_ok=True)
    total: collections.Counter[str] = collections.Counter()
    end, run = time.monotonic() + seconds, 0
    while (left := end - time.monotonic()) > 0:
        with tempfile.TemporaryDirectory() as folder:
            child = [sys.executable, __file__, name, "--child", folder]
            options = [f"--seconds={left}", f"--seed={run}", f"--output={output}"]
            done = subprocess.run(
                [*child, *options], capture_output=True, text=True, check=False
            )
            counts = pathlib.Path(folder) / COUNTS
            if counts.exists():
                total.update(json.loads(counts.read_text()))
            if done.returncode:
                total[f"fault: process ended with {done.returncode}"] += 1
                _keep(pathlib.Path(folder), output / f"crash-{name}-{run}", done.stderr)
        run += 1
    faults = {key: n for key, n in total.items() if key.startswith("fault")}
    return {
        "decoder": name,
        "seconds": round(seconds),
        "inputs": total["read"] + total["refused"] + sum(faults.values()),
        "refused": total["refused"],
        "faults": faults,
    }


def _keep(folder: pathlib.Path, target: pathlib.Path, text: str) -> None:
    """Keeps the input at which a process ended, and its last words."""
    for path in folder.glob(f"{STATE}.*"):
        target.with_suffix(path.suffix).write_bytes(path.read_bytes())
    target.with_suffix(".txt").write_text(text[-20_000:])


def read_many(
    decoder: Decoder,
    rng: np.random.Generator,
    folder: pathlib.Path,
    output: pathlib.Path,
    count: int = 10**9,
    seconds: float = 1e9,
) -> collections.Counter[str]:
    """Returns how many damaged inputs were read, refused, and made which fault."""
    end = time.monotonic() + seconds
    counts: collections.Counter[str] = collections.Counter()
    suffixes = sorted(decoder.seeds)
    for _ in range(count):
        if time.monotonic() > end:
            break
        suffix = suffixes[rng.integers(len(suffixes))]
        path = folder / f"{STATE}{suffix}"
        path.write_bytes(damaged(rng, decoder.seeds[suffix]))
        faulthandler.dump_traceback_later(HANGS_AFTER, exit=True)
        try:
            decoder.read(path)
            counts["read"] += 1
        except decoder.errors:
            counts["refused"] += 1
        except Exception as error:
            key = f"fault: {type(error).__name__} at {_place(error)}"
            counts[key] += 1
            if counts[key] == 1:
                kept = output / "".join(c if c.isalnum() else "_" for c in key)
                kept.with_suffix(suffix).write_bytes(path.read_bytes())
                kept.with_suffix(".txt").write_text(traceback.format_exc()[-20_000:])
        (folder / COUNTS).write_text(json.dumps(counts))
    faulthandler.cancel_dump_traceback_later()
    return counts


def _place(error: Exception) -> str:
    """The last line of the package in a traceback."""
    lines = [
        f"{pathlib.Path(frame.filename).name}:{frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if "anonygan_jax" in frame.filename
    ]
    return lines[-1] if lines else "?"


def main() -> None:
    """Prints the counts as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("decoder", choices=sorted(DECODERS))
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("fuzzed"))
    parser.add_argument("--child", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is None:
        found = campaign(arguments.decoder, arguments.seconds, arguments.output)
        print(json.dumps(found, indent=1))
        return
    faulthandler.enable()
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.environ["JAX_PLATFORMS"] = "cpu"
    read_many(
        DECODERS[arguments.decoder](),
        np.random.default_rng([arguments.seed, 1]),
        arguments.child,
        arguments.output,
        seconds=arguments.seconds,
    )


if __name__ == "__main__":
    main()
