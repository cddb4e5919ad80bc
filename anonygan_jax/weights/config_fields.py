"""Config fields of older versions: renamed ones and removed ones.

A run's folder and an export keep the config that they were made with, which may be of
an older version than this code.
"""

from collections.abc import Mapping
from typing import Any

from anonygan_jax.models.names import ANONYGAN, system_of

RENAMED = {
    "data.prior_workers": "num_workers",
    "data.warped_condition_workers": "num_workers",
    "losses.closeness": "low_frequency_l1",
    "losses.context_matching_strangers": "context_matching_different_identity",
    "losses.descriptor": "identity_leak",
    "losses.descriptor_weights": "identity_leak_weights",
    "model.use_context": "use_masked_source",
    "model.use_warped_prior": "uses_warped_condition",
    "run.start_from": "init_from",
}
REMOVED = {  # field -> the value that had no effect
    "augmentation.colour_jitter": 0,
    "augmentation.crop_jitter": 0,
    "optimiser.num_accumulated": 1,
}
REMOVED_FROM_ANONYGAN = {
    "losses.adversarial": "bce",  # CIAGAN's field of this name is a weight
    "losses.diff_augment": [],
    "losses.r1": 0,
    "model.batch_norm_groups": 1,
    "model.use_remat": False,
    "model.use_spectral_norm": False,
}


def with_current_fields(config: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a config without removed fields, the renamed ones by their new names.

    Args:
      config: section -> field -> value, or a value, of this version or an older one.

    Raises:
      ValueError: a removed field has a value that had an effect.
    """
    is_anonygan = system_of(config) == ANONYGAN
    removed = REMOVED | (REMOVED_FROM_ANONYGAN if is_anonygan else {})
    return {
        section: _current(section, fields, removed)
        if isinstance(fields, Mapping)
        else fields
        for section, fields in config.items()
    }


def _current(
    section: str, fields: Mapping[str, Any], removed: Mapping[str, Any]
) -> dict[str, Any]:
    """One section's fields."""
    current = {}
    for field, value in fields.items():
        name = f"{section}.{field}"
        if name not in removed:
            current[RENAMED.get(name, field)] = value
        elif value != removed[name]:
            raise ValueError(
                f"config.{name} is {value!r}, which this version cannot do any more"
            )
    return current
