"""Names of the systems that can be trained, and of that of a config."""

from typing import Any

ANONYGAN, CIAGAN = "anonygan", "ciagan"


def system_of(config: Any) -> str:
    """Returns the name of the system of a run's config; older configs have none.

    Args:
      config: a ConfigDict, or the dict of a config.json.
    """
    return str(config.get("system", ANONYGAN))
