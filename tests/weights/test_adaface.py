"""AdaFace's network as ArcFace's, against its definition written in NumPy."""

import golden_values
import jax
import numpy as np
import pytest

from anonygan_jax.weights.adaface import adaface_variables

BLOCKS = ((64, 64), (64, 128), (128, 256), (256, 512), (512, 512))  # two in the last


def state_dict(prefix: str = "") -> dict[str, np.ndarray]:
    """Weights of a small network, drawn from AdaFace's names."""
    weights: dict[str, np.ndarray] = {}

    def draw(name: str, shape: tuple[int, ...], kind: str) -> None:
        drawn = golden_values.draw(name, shape, kind, 2**0.5)
        weights[prefix + name] = drawn

    def norm(name: str, width: int, affine: bool = True) -> None:
        if affine:
            draw(f"{name}.weight", (width,), "scale")
            draw(f"{name}.bias", (width,), "bias")
        draw(f"{name}.running_mean", (width,), "mean")
        draw(f"{name}.running_var", (width,), "var")
        weights[f"{prefix}{name}.num_batches_tracked"] = np.array(7)

    draw("input_layer.0.weight", (64, 3, 3, 3), "weight")
    norm("input_layer.1", 64)
    draw("input_layer.2.weight", (64,), "scale")
    for number, (before, after) in enumerate(BLOCKS):
        block = f"body.{number}"
        if before != after:
            draw(f"{block}.shortcut_layer.0.weight", (after, before, 1, 1), "weight")
            norm(f"{block}.shortcut_layer.1", after)
        norm(f"{block}.res_layer.0", before)
        draw(f"{block}.res_layer.1.weight", (after, before, 3, 3), "weight")
        norm(f"{block}.res_layer.2", after)
        draw(f"{block}.res_layer.3.weight", (after,), "scale")
        draw(f"{block}.res_layer.4.weight", (after, after, 3, 3), "weight")
        norm(f"{block}.res_layer.5", after)
    norm("output_layer.0", 512)
    draw("output_layer.3.weight", (512, 512 * 7 * 7), "weight")
    draw("output_layer.3.bias", (512,), "bias")
    norm("output_layer.4", 512, affine=False)
    return weights


def forward(weights: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Embeddings of images [B, 3, 112, 112], as net.py of AdaFace defines them."""

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        shape = (1, -1) + (1,) * (x.ndim - 2)
        mean, var = (weights[f"{name}.running_{k}"] for k in ("mean", "var"))
        x = (x - mean.reshape(shape)) / np.sqrt(var + 1e-5).reshape(shape)
        if f"{name}.weight" not in weights:
            return x
        scale, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return x * scale.reshape(shape) + bias.reshape(shape)

    def conv(x: np.ndarray, name: str, stride: int = 1) -> np.ndarray:
        kernel = weights[f"{name}.weight"]
        side = kernel.shape[-1]
        pad = side // 2
        x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
        windows = np.lib.stride_tricks.sliding_window_view(x, (side, side), (2, 3))
        windows = windows[:, :, ::stride, ::stride]
        return np.einsum("bihwkl,oikl->bohw", windows, kernel, optimize=True)

    def prelu(x: np.ndarray, name: str) -> np.ndarray:
        return np.maximum(x, 0) + weights[f"{name}.weight"][:, None, None] * np.minimum(
            x, 0
        )

    x = prelu(norm(conv(x, "input_layer.0"), "input_layer.1"), "input_layer.2")
    for number, (before, after) in enumerate(BLOCKS):
        block, stride = f"body.{number}", 2 if number < 4 else 1
        if before == after:
            shortcut = x[:, :, ::stride, ::stride]  # MaxPool2d(1, stride)
        else:
            shortcut = conv(x, f"{block}.shortcut_layer.0", stride)
            shortcut = norm(shortcut, f"{block}.shortcut_layer.1")
        y = conv(norm(x, f"{block}.res_layer.0"), f"{block}.res_layer.1")
        y = prelu(norm(y, f"{block}.res_layer.2"), f"{block}.res_layer.3")
        y = norm(conv(y, f"{block}.res_layer.4", stride), f"{block}.res_layer.5")
        x = y + shortcut
    x = norm(x, "output_layer.0").reshape(len(x), -1)
    x = x @ weights["output_layer.3.weight"].T + weights["output_layer.3.bias"]
    return norm(x, "output_layer.4")


def test_adaface_equals_its_definition():
    images = np.random.default_rng(4).uniform(-1, 1, (1, 112, 112, 3))
    images = images.astype(np.float32)
    network, variables = adaface_variables(state_dict("model."))
    assert network.num_blocks == (1, 1, 1, 2)
    made = jax.jit(network.apply)(variables, images)
    expected = forward(state_dict(), images.transpose(0, 3, 1, 2))
    assert np.abs(made - expected).max() <= 1e-4 * np.abs(expected).max()


def test_weights_that_do_not_fit_are_named():
    weights = state_dict()
    del weights["output_layer.3.weight"]
    weights["head.kernel"] = np.zeros((512, 9))
    with pytest.raises(ValueError, match=r"missing fc\.weight; unknown head\.kernel"):
        adaface_variables(weights)
    with pytest.raises(ValueError, match="missing"):
        adaface_variables({})
