"""Official PyTorch state dicts -> our variables, name by name.

Layouts: convolutions OIHW -> HWIO; transposed convolutions IOHW -> HWIO with the kernel
turned by 180 degrees; 1-D graph convolutions [out, in, 1] -> [in, out].
"""

from collections.abc import Callable, Mapping

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from anonygan_jax.models.discriminator import PatchDiscriminator
from anonygan_jax.models.generator import Generator

StateDict = Mapping[str, np.ndarray]
Path = tuple[str, ...]  # collection, modules..., variable
Table = dict[str, tuple[Path, Callable[[np.ndarray], np.ndarray]]]


def generator_variables(state_dict: StateDict) -> dict:
    """Returns {"params", "batch_stats"} for `Generator` from official weights.

    Args:
      state_dict: official name -> float array in PyTorch's layout. Entries
        `num_batches_tracked` are ignored. Number of blocks, landmarks, width and
        landmark attention are read from names and shapes.

    Raises:
      ValueError: names are missing or unknown, or shapes do not fit; the message lists
        them.
    """
    generator = generator_of(state_dict)
    table: Table = {}
    if generator.use_landmark_attention:
        path = ("params", "landmark_attention", "conv", "kernel")
        table["ch_att.conv.weight"] = (path, lambda w: w.transpose(2, 1, 0))
    for stream, name in ((1, "appearance_encoder"), (2, "shape_encoder")):
        for i in range(3):
            official = f"stream{stream}_down.{3 * i + 1}"
            table |= conv(official, f"{name}_conv{i}")
            table |= norm(f"stream{stream}_down.{3 * i + 2}", f"{name}_norm{i}")
    for i in range(generator.num_blocks):
        table |= _block(f"att.{i}", f"block{i}")
    for i in range(2):
        table |= _up_conv(f"stream1_up.{3 * i}", f"decoder_up{i}")
        table |= norm(f"stream1_up.{3 * i + 1}", f"decoder_norm{i}")
        table |= _up_conv(f"conv_att{i + 1}", f"attention_up{i}")
    table |= conv("stream1_up.7", "decoder_image", bias=True)
    table |= _up_conv("conv_att3", "attention_mask")
    image = jnp.zeros((1, 16, 16, 3))
    points = jnp.zeros((1, generator.num_landmarks, 2))
    return convert(state_dict, table, generator, image, image, points, points)


def discriminator_variables(state_dict: StateDict) -> dict:
    """Returns {"params", "batch_stats"} for `PatchDiscriminator`.

    Args and Raises: as `generator_variables`.
    """
    table: Table = {}
    for i, official in enumerate(["down1", "down2", "down3", "down4", "conv1"]):
        table |= conv(f"{official}.0", f"conv{i}", bias=True)
        if i > 0:
            table |= norm(f"{official}.1", f"norm{i}")
    table |= conv("conv2.0", "logits", bias=True)
    width, channels = shape_of(state_dict, "down1.0.weight", 4)[:2]
    image, condition = jnp.zeros((1, 64, 64, 3)), jnp.zeros((1, 64, 64, channels - 3))
    network = PatchDiscriminator(width)
    return convert(state_dict, table, network, image, condition, False)


def generator_of(state_dict: StateDict) -> Generator:
    """Returns the generator of a state dict, its fields read from names and shapes.

    Raises:
      ValueError: names are missing, or have another number of axes.
    """
    blocks = {int(k.split(".")[1]) for k in state_dict if k.startswith("att.")}
    return Generator(
        num_landmarks=shape_of(state_dict, "stream2_down.1.weight", 4)[1] // 2,
        use_landmark_attention="ch_att.conv.weight" in state_dict,
        width=shape_of(state_dict, "stream1_down.1.weight", 4)[0],
        num_blocks=max(blocks, default=-1) + 1,
        num_nodes=shape_of(state_dict, "att.0.gcn.conv_proj.weight", 4)[0],
    )


def shape_of(state_dict: StateDict, name: str, rank: int) -> tuple[int, ...]:
    """Returns the shape of a tensor from which a field is read.

    Raises:
      ValueError: the name is missing, or its tensor has another number of axes.
    """
    if name not in state_dict:
        raise ValueError(f"the state dict does not fit: missing {name}")
    shape = np.shape(state_dict[name])
    if len(shape) != rank:
        raise ValueError(f"the state dict does not fit: {name} has shape {shape}")
    return shape


def _block(official: str, ours: str) -> Table:
    """A graph block."""
    table: Table = {}
    for stream, name in ((1, "appearance"), (2, "shape")):
        prefix = f"{official}.conv_block_stream{stream}"
        table |= conv(f"{prefix}.1", f"{ours}/{name}_conv1")
        table |= norm(f"{prefix}.2", f"{ours}/{name}_norm1")
        table |= conv(f"{prefix}.6", f"{ours}/{name}_conv2")
    table |= norm(f"{official}.conv_block_stream1.7", f"{ours}/appearance_norm2")
    graph, gcn = f"{ours}/graph", f"{official}.gcn"
    table |= conv(f"{gcn}.conv_state", f"{graph}/state", bias=True)
    table |= conv(f"{gcn}.conv_proj", f"{graph}/projection", bias=True)
    table |= conv(f"{gcn}.conv_extend", f"{graph}/extend")
    table |= norm(f"{gcn}.blocker", f"{graph}/norm")
    for number, side in ((1, "condition"), (2, "source")):
        path = ("params", *graph.split("/"), f"graph_{side}")
        across = f"{gcn}.gcn{number}"
        table[f"{across}.conv1.weight"] = ((*path, "adjacency"), _linear)
        table[f"{across}.conv1.bias"] = ((*path, "bias"), np.asarray)
        table[f"{across}.conv2.weight"] = ((*path, "weight"), _linear)
    return table


def conv(official: str, ours: str, bias: bool = False) -> Table:
    """Returns the table of a convolution.

    Args:
      official, ours: names.
      bias: whether it has one.
    """
    path = ("params", *ours.split("/"))
    table: Table = {
        f"{official}.weight": ((*path, "kernel"), lambda w: w.transpose(2, 3, 1, 0))
    }
    if bias:
        table[f"{official}.bias"] = ((*path, "bias"), np.asarray)
    return table


def _up_conv(official: str, ours: str) -> Table:
    """A transposed convolution."""
    path = ("params", ours, "kernel")

    def turn(weight: np.ndarray) -> np.ndarray:
        return weight.transpose(2, 3, 0, 1)[::-1, ::-1]

    return {f"{official}.weight": (path, turn)}


def norm(official: str, ours: str) -> Table:
    """Returns the table of a BatchNorm with its running statistics."""
    names = {
        "weight": ("params", "scale"),
        "bias": ("params", "bias"),
        "running_mean": ("batch_stats", "mean"),
        "running_var": ("batch_stats", "var"),
    }
    return {
        f"{official}.{theirs}": ((kind, *ours.split("/"), name), np.asarray)
        for theirs, (kind, name) in names.items()
    }


def _linear(weight: np.ndarray) -> np.ndarray:
    """[out, in, 1] -> [in, out]."""
    return weight[..., 0].T


def convert(
    state_dict: StateDict, table: Table, module: nn.Module, *inputs: object
) -> dict:
    """Returns the variables of a module from official weights.

    Args:
      state_dict: official name -> float array in PyTorch's layout.
      table: official name -> our path, and the change of the layout.
      module: whose variables are wanted.
      *inputs: of the module's initialisation.

    Raises:
      ValueError: names are missing or unknown, or shapes do not fit; the message lists
        them.
    """
    given = {k for k in state_dict if not k.endswith("num_batches_tracked")}
    problems = [f"missing {name}" for name in sorted(table.keys() - given)]
    problems += [f"unknown {name}" for name in sorted(given - table.keys())]
    init = jax.eval_shape(lambda: module.init(jax.random.key(0), *inputs))
    wanted = {path: leaf.shape for path, leaf in flatten_dict(init).items()}
    flat = {}
    for name in sorted(given & table.keys()):
        path, change = table[name]
        weight = np.asarray(state_dict[name], np.float32)
        try:
            flat[path] = np.array(change(weight), order="C")
        except (ValueError, IndexError):  # too few axes for the change of layout
            flat[path] = weight
        if flat[path].shape != wanted[path]:
            problems.append(
                f"{name} of shape {weight.shape} becomes {flat[path].shape}, "
                f"wanted {wanted[path]}"
            )
    if problems:
        more = f"; and {len(problems) - 20} more" if len(problems) > 20 else ""
        raise ValueError(
            f"the state dict does not fit: {'; '.join(problems[:20])}{more}"
        )
    return unflatten_dict(flat)
