"""Official generators, AnonyGAN's or CIAGAN's, as config and variables of a run."""

import dataclasses
from typing import Any

from anonygan_jax.models.ciagan.generator import CiaganConfig
from anonygan_jax.models.config import ModelConfig
from anonygan_jax.models.names import ANONYGAN, CIAGAN
from anonygan_jax.weights import anonygan, ciagan

CELEBA = (218, 178)  # pixels on which AnonyGAN's release marks landmarks


def ported(state_dict: anonygan.StateDict) -> tuple[dict[str, Any], dict]:
    """Returns the config and the variables of an official generator.

    Args:
      state_dict: of AnonyGAN's or CIAGAN's generator, by the names of its arrays.

    Raises:
      ValueError: names or shapes fit neither of them.
    """
    if any(name.startswith("encode_one_hot.") for name in state_dict):
        variables = ciagan.generator_variables(state_dict)
        num_identities, _ = variables["params"]["identity0"]["kernel"].shape
        width = variables["params"]["down_norm0"]["scale"].shape[0]
        identities = CiaganConfig(num_identities, width)
        return _config(CIAGAN, identities, (128, 128)), variables
    variables = anonygan.generator_variables(state_dict)
    generator = anonygan.generator_of(state_dict)
    model = ModelConfig(
        num_landmarks=generator.num_landmarks,
        use_landmark_attention=generator.use_landmark_attention,
        width=generator.width,
        num_blocks=generator.num_blocks,
        num_nodes=generator.num_nodes,
        dropout_rate=0.5,
        heatmap_grid=CELEBA,
        discriminator_width=64,
    )
    return _config(ANONYGAN, model, (220, 180)), variables


def _config(system: str, model: Any, size: tuple[int, int]) -> dict[str, Any]:
    """The fields of a run's config that loading needs."""
    data = {"image_size": size, "zoom": 1.0, "directory": None}
    return {"system": system, "model": dataclasses.asdict(model), "data": data}
