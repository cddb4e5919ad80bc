"""The systems that can be trained, by the name in `config.system`."""

from collections.abc import Mapping
from typing import Any

import ml_collections

from anonygan_jax.models.names import ANONYGAN, CIAGAN, system_of
from anonygan_jax.systems.anonygan import AnonyGAN
from anonygan_jax.systems.ciagan import Ciagan
from anonygan_jax.systems.system import System

SYSTEMS: dict[str, type[System]] = {ANONYGAN: AnonyGAN, CIAGAN: Ciagan}


def system_class(config: Mapping[str, Any]) -> type[System]:
    """Returns the class of the system of a run's config.

    Raises:
      ValueError: the system is unknown.
    """
    name = system_of(config)
    if name not in SYSTEMS:
        raise ValueError(f"system is {name!r}, wanted one of {', '.join(SYSTEMS)}")
    return SYSTEMS[name]


def make_system(config: ml_collections.ConfigDict) -> System:
    """Returns the system of a run's config.

    Raises:
      ValueError, TypeError: the system is unknown; else as `System.from_config`.
    """
    return system_class(config).from_config(config)
