"""What measures best for a face, and something surer where that fails."""

import numpy as np

from anonygan_jax.methods.method import Faces, Method, NewFaces

AUTO = "auto"


class Auto:
    """Several methods, of which the first is wanted.

    A method knows one face before and nothing of what others see in the result, so
    whoever verifies results (`anonymise.hiding`) asks `methods` in turn: the next where
    the result of the one before does not pass.

    Attributes:
      methods: in order of preference; all use conditions and take the same crops.
      step: the training step of the first's weights.
    """

    name = AUTO
    uses_conditions = True

    def __init__(self, first: Method, *others: Method) -> None:
        self.methods = (first, *others)
        self.crop_size, self.region = first.crop_size, first.region
        self.step = getattr(first, "step", None)

    def __call__(self, faces: Faces, conditions: NewFaces) -> np.ndarray:
        """Returns the crops as the first method makes them; see `Method`."""
        return self.methods[0](faces, conditions)
