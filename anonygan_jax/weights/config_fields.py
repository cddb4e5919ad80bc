"""Config fields of older versions, by their names of today.

A run's folder and an export keep the config that they were made with, so what is read
there may be older than this code.
"""

from collections.abc import Mapping
from typing import Any

RENAMED = {
    "data.prior_workers": "warped_condition_workers",
    "losses.closeness": "low_frequency_l1",
    "losses.context_matching_strangers": "context_matching_different_identity",
    "losses.descriptor": "identity_leak",
    "losses.descriptor_weights": "identity_leak_weights",
    "model.use_context": "use_masked_source",
    "model.use_warped_prior": "uses_warped_condition",
    "run.start_from": "init_from",
}


def with_current_names(config: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a config whose fields have the names of today.

    Args:
      config: section -> field -> value, or a value, of this version or an older one.
    """
    return {
        section: _renamed(section, fields) if isinstance(fields, Mapping) else fields
        for section, fields in config.items()
    }


def _renamed(section: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """One section's fields."""
    return {RENAMED.get(f"{section}.{k}", k): value for k, value in fields.items()}
