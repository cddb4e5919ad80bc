"""Fields of a run's networks."""

import dataclasses

import jax
import jax.numpy as jnp

from anonygan_jax.data.landmarks import NUM_LANDMARKS, REDUCED_29
from anonygan_jax.models.discriminator import PatchDiscriminator
from anonygan_jax.models.generator import Generator
from anonygan_jax.models.layers import Numerics

DTYPES = {"float32": None, "bfloat16": jnp.bfloat16}


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """Fields of the networks; see `Generator` and `PatchDiscriminator`."""

    num_landmarks: int
    use_landmark_attention: bool
    width: int
    num_blocks: int
    num_nodes: int
    dropout_rate: float
    heatmap_grid: tuple[int, int] | None
    discriminator_width: int
    use_warped_prior: bool = False
    landmark_dropout: float = 0.0
    compute_dtype: str = "float32"
    batch_norm_groups: int = 1
    use_remat: bool = False

    def __post_init__(self) -> None:
        if self.num_landmarks not in (NUM_LANDMARKS, len(REDUCED_29)):
            raise ValueError(f"num_landmarks is {self.num_landmarks}, wanted 68 or 29")
        if self.compute_dtype not in DTYPES:
            raise ValueError(
                f"compute_dtype is {self.compute_dtype!r}, "
                f"wanted one of {tuple(DTYPES)}"
            )
        if self.heatmap_grid is not None:
            object.__setattr__(self, "heatmap_grid", tuple(self.heatmap_grid))

    def generator(self) -> Generator:
        """Returns the generator."""
        names = {field.name for field in dataclasses.fields(Generator)}
        fields = {k: v for k, v in dataclasses.asdict(self).items() if k in names}
        return Generator(**fields, numerics=self.numerics)

    def discriminator(self) -> PatchDiscriminator:
        """Returns a discriminator."""
        return PatchDiscriminator(self.discriminator_width, self.numerics)

    @property
    def numerics(self) -> Numerics:
        """How the networks compute."""
        return Numerics(DTYPES[self.compute_dtype], self.batch_norm_groups)

    def select_points(self, points_xy: jax.Array) -> jax.Array:
        """Returns the landmarks that the networks see, [B, num_landmarks, 2]."""
        if self.num_landmarks == NUM_LANDMARKS:
            return points_xy
        return points_xy[:, REDUCED_29, :]
