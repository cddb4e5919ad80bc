"""Generators as functions of arrays: what the tool draws with, and ONNX files hold."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anonygan_jax.faces.face import NUM_LANDMARKS
from anonygan_jax.models.ciagan.generator import CiaganConfig, generator_input
from anonygan_jax.models.config import ModelConfig, model_config
from anonygan_jax.models.convolution import LAX

BATCH = "B"  # stands for the size of a batch in shapes

Shape = tuple[int | str, ...]
Draw = Callable[..., jax.Array]  # (variables, *inputs) -> images


def drawing_function(config: Mapping[str, Any], convolution: str = LAX) -> Draw:
    """Returns a run's generator as a function of its variables and inputs.

    The inputs are those of `input_shapes`. The function returns float32 [B, H, W, 3]:
    AnonyGAN's in [-1, 1], CIAGAN's in about 0 to 1.

    Args:
      config: of the run.
      convolution: of AnonyGAN's generator, see `convolve`.
    """
    model = model_config(config)
    if isinstance(model, CiaganConfig):
        return _ciagan(model)
    return _anonygan(model, convolution)


def input_shapes(config: Mapping[str, Any]) -> dict[str, Shape]:
    """Returns the names and shapes of a generator's inputs, all float32, in order.

    Of AnonyGAN, images are in [-1, 1]; of CIAGAN they are in 0 to 1, the mask is 1
    where the face is, and the identity is one-hot. Points are in pixels.
    """
    model = model_config(config)
    height, width = config["data"]["image_size"]
    image: Shape = (BATCH, height, width, 3)
    points: Shape = (BATCH, NUM_LANDMARKS, 2)
    if isinstance(model, CiaganConfig):
        return {
            "source": image,
            "mask": (BATCH, height, width, 1),
            "points_xy": points,
            "identity": (BATCH, model.num_identities),
        }
    shapes = {
        "condition": image,
        "masked_source": image,
        "condition_points_xy": points,
        "source_points_xy": points,
    }
    return shapes | ({"warped_condition": image} if model.uses_warped_condition else {})


def _anonygan(model: ModelConfig, convolution: str) -> Draw:
    """AnonyGAN's generator, given all landmarks."""
    generator = model.generator().clone(convolution=convolution)

    def draw(
        variables: dict[str, Any],
        condition: Float[Array, "B H W 3"],
        masked_source: Float[Array, "B H W 3"],
        condition_points_xy: Float[Array, "B 68 2"],
        source_points_xy: Float[Array, "B 68 2"],
        *warped_condition: Float[Array, "B H W 3"],
    ) -> jax.Array:
        points = map(model.select_points, (condition_points_xy, source_points_xy))
        images = condition, masked_source
        return jnp.asarray(
            generator.apply(variables, *images, *points, *warped_condition)
        )

    return draw


def _ciagan(model: CiaganConfig) -> Draw:
    """CIAGAN's generator, whose image is put into the source."""
    generator = model.generator()

    def draw(
        variables: dict[str, Any],
        source: Float[Array, "B H W 3"],
        mask: Float[Array, "B H W 1"],
        points_xy: Float[Array, "B 68 2"],
        identity: Float[Array, "B I"],
    ) -> jax.Array:
        inputs = generator_input(source, mask, points_xy)
        drawn = jnp.asarray(generator.apply(variables, inputs, identity, False))
        return mask * drawn + (1 - mask) * source

    return draw
