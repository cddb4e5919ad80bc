"""Settings of the training data: which photos, and how they are paired."""

import dataclasses
import os

from anonygan_jax.data.ranges import check_ranges

LOADERS = ("memory", "device", "tf_data", "grain")
SOURCE = "source"
SPOILED_SOURCE = "spoiled_source"
SAME_IDENTITY = "same_identity"
OTHER_IDENTITY = "other_identity"


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """The training data.

    Attributes:
      directory: folder or pack of `anonygan prepare`, or "embedded"; or several of
        them, with commas.
      image_size: (height, width) of the training pictures.
      batch_size: pairs per step.
      loader: "memory" decodes all photos once: for sets that fit, 120 KB a photo of
        the paper's size. "device" also copies them to the memory of every device: for
        small sets without warped conditions. "tf_data" decodes during training, in
        threads of one process: for sets larger than memory. It costs less CPU time
        than "grain" and needs TensorFlow. "grain" does so in processes: for hosts
        with many cores, where one process is too slow. The batches are the same.
      seed: of the order and the pairs.
      repeats: how often an epoch shows the photos of each directory.
      composites: one more directory, whose faces are conditions only; "" for none.
      zoom: see `alignment.window_transform`.
      landmark_jitter: normal noise of the landmarks of each source has this deviation
        at most, pixels of CelebA's frame; mostly far less.
      num_workers: processes that warp conditions, 0 for threads; with
        "grain", processes that make whole batches, 0 for half of the cores.
    """

    directory: str
    image_size: tuple[int, int]
    batch_size: int
    loader: str
    seed: int
    repeats: tuple[int, ...] = (1,)
    composites: str = ""
    zoom: float = 1.0
    landmark_jitter: float = 0.0
    num_workers: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "image_size", tuple(self.image_size))
        if self.loader not in LOADERS:
            raise ValueError(f"loader is {self.loader!r}, wanted one of {LOADERS}")
        check_ranges(
            "data",
            self,
            **{"image_size": 16, "batch_size": 1, "repeats": 1, "zoom": 1},
            **{"seed": 0, "landmark_jitter": 0, "num_workers": 0},
        )
        if len(self.directories) != len(self.repeats):
            raise ValueError(
                f"{len(self.directories)} directories, but repeats for "
                f"{len(self.repeats)}"
            )

    @property
    def num_batch_workers(self) -> int:
        """Processes of the loader "grain"."""
        if self.num_workers:
            return self.num_workers
        allowed = getattr(os, "sched_getaffinity", None)  # of Linux
        cores = len(allowed(0)) if allowed else os.cpu_count() or 1
        return max(1, cores // 2)

    @property
    def directories(self) -> list[str]:
        """The directories of sources."""
        return self.directory.split(",")


@dataclasses.dataclass(frozen=True)
class PairConfig:
    """How photos are paired (hybrid training).

    Attributes:
      supervised_share: probability that a pair is supervised: the reconstruction loss
        applies.
      supervised_condition: condition of supervised pairs: "source", the same photo;
        "spoiled_source", the same photo as composites look (`spoiled_conditions`), for
        networks that take warped conditions; or "same_identity", another photo of the
        person.
      other_condition: condition of the other pairs: "same_identity" or
        "other_identity", a photo of somebody else.
      min_photos_per_identity: people with fewer photos are not used. A person with one
        photo has no supervised pair of two photos: the photo gets the other condition.
      held_out_share: of the people, not used in training; see `pairs.is_held_out`.
      composite_share: of the other-identity conditions, drawn from the composites.
      num_candidates: number of other-identity conditions drawn for each pair; the one
        nearest in pose and expression is used.

    Source: paper section 3.4; the values of its release in configs/celeba.py.
    """

    supervised_share: float
    supervised_condition: str
    other_condition: str
    min_photos_per_identity: int
    held_out_share: float = 0.0
    composite_share: float = 0.0
    num_candidates: int = 1

    def __post_init__(self) -> None:
        shares = ("supervised_share", "held_out_share", "composite_share")
        check_ranges("pairs", self, num_candidates=1, **dict.fromkeys(shares, (0, 1)))
        if self.supervised_condition not in (SOURCE, SPOILED_SOURCE, SAME_IDENTITY):
            raise ValueError(
                f"unknown supervised_condition {self.supervised_condition}"
            )
        if self.other_condition not in (SAME_IDENTITY, OTHER_IDENTITY):
            raise ValueError(f"unknown other_condition {self.other_condition}")
        if self.other_condition == SAME_IDENTITY and self.min_photos_per_identity < 2:
            raise ValueError(
                "pairs of two photos of one person need min_photos_per_identity >= 2, "
                f"it is {self.min_photos_per_identity}"
            )
