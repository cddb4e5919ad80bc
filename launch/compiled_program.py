"""What XLA's text of a compiled TPU program says about its cost."""

import collections
import re
from typing import NamedTuple

import numpy as np

_SHAPE = re.compile(r"(pred|[usf]\d+|bf16)\[([\d,]*)\](\{[^}]*\})?")
_BYTES = {"pred": 1, "bf16": 2}
_FAST_MEMORY = "S(1)"  # in the layout of an array that lies in a core's own memory
_COLLECTIVE = re.compile(
    r"= (.+?) (all-reduce|all-gather|reduce-scatter|all-to-all|collective-permute)"
    r"(?:-start)?\("
)
_INSTRUCTION = re.compile(r"\s+(?:ROOT )?%(\S+) = (.*?) [\w-]+\((.*)")
_CYCLES = re.compile(r'"estimated_cycles":"(\d+)"')
_OPERAND = re.compile(r"%([\w.\-]+)")
_CALLED = re.compile(r"calls=(%\S+?)[,\s]")
_OP_NAME = re.compile(r'op_name="([^"]*)"')
_BODY = re.compile(r"^(%\S+) \(.*?\{\n(.*?)^\}", re.M | re.S)
_DIFFERENTIATED = re.compile(r"(transpose\()?jvp\((\w*)\)\)?")


class Operations(NamedTuple):
    """Operations of one layer in one direction.

    Attributes:
      layer: of our networks, "backward" before it for gradients.
      has_products: they are convolutions or products of matrices.
      count: of operations.
      cycles: by XLA's estimate.
      num_bytes: that they read and write in the chip's main memory. Without copies
        that run beside them into a core's own memory.
    """

    layer: str
    has_products: bool
    count: int
    cycles: float
    num_bytes: float


def operations(program: str) -> list[Operations]:
    """Returns the operations of a program by layer, the longest first."""
    bodies = dict(_BODY.findall(program))
    sums: dict[tuple[str, bool], list[float]] = collections.defaultdict(lambda: [0] * 3)
    written: dict[str, float] = {}
    for line in program.partition("\nENTRY ")[2].splitlines():
        if not (match := _INSTRUCTION.match(line)):
            continue
        name, result, rest = match.groups()
        written[name] = sum(map(_main_memory, _SHAPE.findall(result)))
        if not (cycles := _CYCLES.search(rest)):
            continue
        read = (written.get(x, 0) for x in _OPERAND.findall(rest.partition("), ")[0]))
        called = _CALLED.search(rest)
        body = bodies.get(called[1], "") if called else line
        row = sums[_layer(rest), " convolution(" in body]
        row[0] += 1
        row[1] += int(cycles[1])
        row[2] += written[name] + sum(read)
    found = [Operations(*key, int(row[0]), row[1], row[2]) for key, row in sums.items()]
    return sorted(found, key=lambda x: -x.cycles)


def _layer(instruction: str) -> str:
    """The layer of an instruction, by its "op_name"; equal blocks are one."""
    found = _OP_NAME.search(instruction)
    parts = found[1].split("/")[1:] if found else ["?"]
    backward = "backward " if any("transpose(" in part for part in parts) else ""
    parts = [_DIFFERENTIATED.sub(r"\2", part) for part in parts]
    parts = [re.sub(r"block\d+\b", "block", part) for part in parts]
    parts = [part for part in parts if part and "._" not in part]
    return backward + "/".join(parts[:3])


def collectives(program: str) -> dict[str, tuple[int, float]]:
    """Returns kind of collective -> how many a program has, and their bytes."""
    found: dict[str, tuple[int, float]] = collections.defaultdict(lambda: (0, 0.0))
    for result, kind in _COLLECTIVE.findall(program):
        count, total = found[kind]
        found[kind] = count + 1, total + sum(map(_size, _SHAPE.findall(result)))
    return dict(found)


def _main_memory(shape: tuple[str, str, str]) -> float:
    """Bytes of an array in the chip's main memory."""
    return 0.0 if _FAST_MEMORY in shape[2] else _size(shape)


def _size(shape: tuple[str, str, str]) -> float:
    """Bytes of an array in a program's text."""
    kind, sides, _ = shape
    each = _BYTES.get(kind) or int(kind[1:]) / 8
    return each * float(np.prod([int(n) for n in sides.split(",") if n]))
