"""Fields of a run's networks."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import jax.numpy as jnp
import ml_collections
import numpy as np
from jaxtyping import Array, Float

from anonygan_jax.faces.face import NUM_LANDMARKS, REDUCED_29
from anonygan_jax.models.ciagan.generator import CiaganConfig
from anonygan_jax.models.convolution import CONVOLUTIONS, LAX
from anonygan_jax.models.discriminator import PatchDiscriminator
from anonygan_jax.models.generator import Generator
from anonygan_jax.models.layers import PrecisionPolicy
from anonygan_jax.models.names import ANONYGAN, CIAGAN, system_of

Config: TypeAlias = Mapping[str, Any] | ml_collections.ConfigDict  # of a run
DTYPES = {"float32": None, "bfloat16": jnp.bfloat16}


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """Fields of AnonyGAN's networks; see `Generator` and `PatchDiscriminator`.

    Attributes:
      compute_dtype: "float32" or "bfloat16"; see `PrecisionPolicy`.
      discriminators: names, see `systems.discriminators.DISCRIMINATORS`. The paper has
        "appearance" and "pose"; the release has "image" and "identity" as options.
      convolution: "lax" or "matmul"; see `convolve`.
      use_space_to_depth: compute full resolution on blocks of 2x2 pixels. For TPUs:
        XLA's estimate of the paper's step on v5e falls from 68.3 to 58.1 ms. On CPUs
        a step takes 6% longer.
    """

    num_landmarks: int
    use_landmark_attention: bool
    width: int
    num_blocks: int
    num_nodes: int
    dropout_rate: float
    heatmap_grid: Sequence[int] | None
    discriminator_width: int
    uses_warped_condition: bool = False
    landmark_dropout: float = 0.0
    compute_dtype: str = "float32"
    convolution: str = LAX
    use_space_to_depth: bool = False
    use_masked_source: bool = True
    discriminators: Sequence[str] = ("appearance", "pose")

    def __post_init__(self) -> None:
        if self.num_landmarks not in (NUM_LANDMARKS, len(REDUCED_29)):
            raise ValueError(f"num_landmarks is {self.num_landmarks}, wanted 68 or 29")
        if self.compute_dtype not in DTYPES:
            raise ValueError(
                f"compute_dtype is {self.compute_dtype!r}, "
                f"wanted one of {tuple(DTYPES)}"
            )
        if self.convolution not in CONVOLUTIONS:
            raise ValueError(
                f"model.convolution is {self.convolution!r}, "
                f"wanted one of {CONVOLUTIONS}"
            )
        object.__setattr__(self, "discriminators", tuple(self.discriminators))
        if self.heatmap_grid is not None:
            object.__setattr__(self, "heatmap_grid", tuple(self.heatmap_grid))

    def generator(self) -> Generator:
        """Returns the generator."""
        names = {field.name for field in dataclasses.fields(Generator)}
        fields = {k: v for k, v in dataclasses.asdict(self).items() if k in names}
        return Generator(**fields, precision=self.precision)

    def discriminator(self) -> PatchDiscriminator:
        """Returns a discriminator."""
        return PatchDiscriminator(
            self.discriminator_width,
            self.precision,
            self.convolution,
            self.use_space_to_depth,
        )

    @property
    def precision(self) -> PrecisionPolicy:
        """How the networks compute."""
        return PrecisionPolicy(DTYPES[self.compute_dtype])

    def select_points(
        self, points_xy: Float[Array | np.ndarray, "B 68 2"]
    ) -> Float[Array, "B K 2"]:
        """Returns the landmarks that the networks see, [B, num_landmarks, 2]."""
        points = jnp.asarray(points_xy)
        return points if self.num_landmarks == NUM_LANDMARKS else points[:, REDUCED_29]


MODELS = {ANONYGAN: ModelConfig, CIAGAN: CiaganConfig}  # of exported generators


def model_config(config: Config) -> Any:
    """Returns the fields of the networks of a run's config.

    Args:
      config: of a run of one of `MODELS`.

    Raises:
      ValueError, TypeError: a field is unknown, missing or out of range.
    """
    return MODELS[system_of(config)](**config["model"])
