"""Fields of a run's networks."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from anonygan_jax.faces.face import NUM_LANDMARKS, REDUCED_29
from anonygan_jax.models.ciagan.generator import CiaganConfig
from anonygan_jax.models.discriminator import PatchDiscriminator
from anonygan_jax.models.generator import Generator
from anonygan_jax.models.layers import PrecisionPolicy

DISCRIMINATORS = ("appearance", "pose", "image", "identity")
DTYPES = {"float32": None, "bfloat16": jnp.bfloat16}


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """Fields of the networks; see `Generator` and `PatchDiscriminator`.

    Attributes:
      discriminators: who judges, some of "appearance" (image and condition), "pose"
        (image and landmarks), "image" (the image alone) and "identity" (as
        appearance, but of whole faces). The paper has the first two; the release
        can switch on the others.
      compute_dtype: "float32" or "bfloat16"; see `PrecisionPolicy`.
      batch_norm_groups: see `PrecisionPolicy`.
    """

    num_landmarks: int
    use_landmark_attention: bool
    width: int
    num_blocks: int
    num_nodes: int
    dropout_rate: float
    heatmap_grid: tuple[int, int] | None
    discriminator_width: int
    uses_warped_condition: bool = False
    landmark_dropout: float = 0.0
    compute_dtype: str = "float32"
    batch_norm_groups: int = 1
    use_remat: bool = False
    use_masked_source: bool = True
    discriminators: tuple[str, ...] = ("appearance", "pose")
    use_spectral_norm: bool = False

    def __post_init__(self) -> None:
        if self.num_landmarks not in (NUM_LANDMARKS, len(REDUCED_29)):
            raise ValueError(f"num_landmarks is {self.num_landmarks}, wanted 68 or 29")
        if self.compute_dtype not in DTYPES:
            raise ValueError(
                f"compute_dtype is {self.compute_dtype!r}, "
                f"wanted one of {tuple(DTYPES)}"
            )
        object.__setattr__(self, "discriminators", tuple(self.discriminators))
        unknown = set(self.discriminators) - set(DISCRIMINATORS)
        if unknown:
            raise ValueError(
                f"model.discriminators has {', '.join(sorted(unknown))}, wanted some "
                f"of {', '.join(DISCRIMINATORS)}"
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
        return PatchDiscriminator(
            self.discriminator_width, self.use_spectral_norm, self.numerics
        )

    @property
    def numerics(self) -> PrecisionPolicy:
        """How the networks compute."""
        return PrecisionPolicy(DTYPES[self.compute_dtype], self.batch_norm_groups)

    def select_points(self, points_xy: jax.Array) -> jax.Array:
        """Returns the landmarks that the networks see, [B, num_landmarks, 2]."""
        if self.num_landmarks == NUM_LANDMARKS:
            return points_xy
        return points_xy[:, REDUCED_29, :]


ANONYGAN, CIAGAN = "anonygan", "ciagan"
MODELS = {ANONYGAN: ModelConfig, CIAGAN: CiaganConfig}  # what config.system can be


def system_of(config: Mapping[str, Any]) -> str:
    """Returns what a run's config trains; older ones do not say."""
    return str(config.get("system", ANONYGAN))


def model_config(config: Mapping[str, Any]) -> Any:
    """Returns the fields of the networks of a run's config, of the kind in `MODELS`.

    Raises:
      ValueError, TypeError: the system or a field is unknown, missing or out of range.
    """
    name = system_of(config)
    if name not in MODELS:
        raise ValueError(f"system is {name!r}, wanted one of {', '.join(MODELS)}")
    return MODELS[name](**config["model"])
