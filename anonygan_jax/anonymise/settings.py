"""Settings of a run, which are sent to workers and written into the report."""

import dataclasses
from typing import Any

from anonygan_jax.anonymise.anonymiser import PERSON, Anonymiser
from anonygan_jax.anonymise.conditions.selector import AUTO_CONDITION
from anonygan_jax.anonymise.regions import Region
from anonygan_jax.anonymise.video.encoding import HIGH, SAME, Encoding
from anonygan_jax.anonymise.video.frame_search import SEARCH_EVERY
from anonygan_jax.detection import DEFAULT_DETECTORS, MESH, make_detector
from anonygan_jax.io.onnx_device import CPU, GPU, default_device
from anonygan_jax.io.photos import MAX_PIXELS
from anonygan_jax.methods import DEFAULT_METHOD, EMBEDDED_CHECKPOINT

SKIP, COPY = "skip", "copy"
MAX_MEGAPIXELS = MAX_PIXELS / 1e6


@dataclasses.dataclass(frozen=True)
class Settings:
    """How photos and videos are anonymised: the options of `anonygan anonymise`.

    Attributes:
      method, checkpoint, condition, consistent, match_group, keep, only, regions: see
        `Anonymiser`.
      detectors, landmarks, threshold, min_face, use_tiles: see
        `anonygan_jax.detection.make_detector`.
      no_face: SKIP or COPY, for photos in which no face is detected.
      is_strict: whether a face that must be pixelated fails its file.
      kept_metadata: some of `metadata.GROUPS`.
      max_megapixels: of a photo or a page of one; larger ones fail.
      is_marked: whether results of photos say, in XMP, that they are edited.
      search_every: frames of a video from one full search to the next, 9 at most.
      keep_audio: whether the audio of videos is kept.
      codec, quality, is_hardware, is_sdr: of videos, see `Encoding`.
      device: that runs the networks, CPU or GPU of `onnx_device`; results of the two
        differ by rounding.
    """

    method: str = DEFAULT_METHOD
    checkpoint: str = EMBEDDED_CHECKPOINT
    condition: str = AUTO_CONDITION
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
    max_megapixels: float = MAX_MEGAPIXELS
    is_marked: bool = False
    search_every: int = SEARCH_EVERY
    keep_audio: bool = True
    codec: str = SAME
    quality: str = HIGH
    is_hardware: bool = False
    is_sdr: bool = False
    device: str = CPU

    def __post_init__(self) -> None:
        """Raises ValueError if a device is not known, or cannot encode videos."""
        if self.device not in (CPU, GPU):
            raise ValueError(
                f"device is {self.device!r}, wanted {CPU!r} or {GPU!r}; "
                "see io.onnx_device.resolve"
            )
        if self.is_hardware:
            from anonygan_jax.anonymise.video.hardware_encoders import check_hardware

            check_hardware()

    @classmethod
    def of_method(cls, text: str, **others: Any) -> "Settings":
        """Returns settings for "NAME" or "NAME:CHECKPOINT"."""
        name, _, checkpoint = text.partition(":")
        return cls(method=name, checkpoint=checkpoint or EMBEDDED_CHECKPOINT, **others)

    @property
    def encoding(self) -> Encoding:
        """How results of videos are encoded."""
        return Encoding(self.codec, self.quality, self.is_hardware, self.is_sdr)

    def anonymiser(self) -> Anonymiser:
        """Builds the anonymiser.

        Raises:
          ValueError, MissingPackage: see `Anonymiser`, `make_detector` and
            `default_device`.
        """
        with default_device(self.device):
            return self._anonymiser()

    def _anonymiser(self) -> Anonymiser:
        """The anonymiser, on the device of the block around."""
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
