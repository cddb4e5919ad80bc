"""Fields of a run's networks."""

import dataclasses

import jax

from anonygan_jax.data.landmarks import NUM_LANDMARKS, REDUCED_29
from anonygan_jax.models.generator import Generator


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

    def __post_init__(self) -> None:
        if self.num_landmarks not in (NUM_LANDMARKS, len(REDUCED_29)):
            raise ValueError(f"num_landmarks is {self.num_landmarks}, wanted 68 or 29")
        if self.heatmap_grid is not None:
            object.__setattr__(self, "heatmap_grid", tuple(self.heatmap_grid))

    def generator(self) -> Generator:
        """Returns the generator."""
        fields = dataclasses.asdict(self)
        del fields["discriminator_width"]
        return Generator(**fields)

    def select_points(self, points_xy: jax.Array) -> jax.Array:
        """Returns the landmarks that the networks see, [B, num_landmarks, 2]."""
        if self.num_landmarks == NUM_LANDMARKS:
            return points_xy
        return points_xy[:, REDUCED_29, :]
