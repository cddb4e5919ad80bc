"""What a user asked for, in one value that travels to workers and into the report."""

import dataclasses
from typing import Any

from anonygan_jax.anonymise.anonymiser import PERSON, Anonymiser
from anonygan_jax.anonymise.conditions.selector import AUTO
from anonygan_jax.anonymise.policy import Region
from anonygan_jax.anonymise.video.analysis import SEARCH_EVERY
from anonygan_jax.detection import DEFAULT_DETECTORS, MESH, make_detector
from anonygan_jax.methods import DEFAULT, EMBEDDED

SKIP, COPY = "skip", "copy"


@dataclasses.dataclass(frozen=True)
class Settings:
    """How photos and videos are anonymised; the command's options, by their names.

    Attributes:
      method, checkpoint, condition, consistent, match_group, keep, only, regions: see
        `Anonymiser`.
      detectors, landmarks, threshold, min_face, use_tiles: see
        `anonygan_jax.detection.make_detector`.
      no_face: SKIP or COPY photos in which no face is found.
      is_strict: whether a face that must be pixelated fails its photo.
      kept_metadata: groups of `anonymise.metadata.GROUPS`.
      search_every: frames of a video from one search for faces to the next.
      keep_audio: whether videos keep their sound.
    """

    method: str = DEFAULT
    checkpoint: str = EMBEDDED
    condition: str = AUTO
    consistent: str = PERSON
    match_group: bool = True
    detectors: tuple[str, ...] = DEFAULT_DETECTORS
    landmarks: str = MESH
    threshold: float | None = None
    min_face: float = 0
    use_tiles: bool = False
    keep: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()
    no_face: str = SKIP
    is_strict: bool = False
    kept_metadata: tuple[str, ...] = ()
    search_every: int = SEARCH_EVERY
    keep_audio: bool = True

    @classmethod
    def of_method(cls, text: str, **others: Any) -> "Settings":
        """Returns settings for "NAME" or "NAME:CHECKPOINT"."""
        name, _, checkpoint = text.partition(":")
        return cls(method=name, checkpoint=checkpoint or EMBEDDED, **others)

    def anonymiser(self) -> Anonymiser:
        """Returns what does it.

        Raises:
          ValueError, ImportError: what is unknown, unusable or missing.
        """
        detector = make_detector(
            self.detectors,
            self.landmarks,
            self.threshold,
            self.min_face,
            self.use_tiles,
        )
        return Anonymiser(
            self.method,
            self.checkpoint,
            conditions=self.condition,
            consistent=self.consistent,
            match_group=self.match_group,
            detector=detector,
            keep=self.keep,
            only=self.only,
            regions=self.regions,
        )

    def as_dict(self) -> dict[str, Any]:
        """Returns them as JSON has them."""
        fields = dataclasses.asdict(self)
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in fields.items()
        }
