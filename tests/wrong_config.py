"""A config with a fault of its own."""

import os


def get_config() -> None:
    """Asks for what is not there."""
    raise KeyError(os.environ["NONE_IS_CALLED_SO"])
