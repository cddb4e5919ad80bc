"""The default model: AnonyGAN that refines a warped condition.

    anonygan prepare lfw --output data/lfw
    anonygan prepare celeba --aligned --identities identity_CelebA.txt \\
        --output data/celeba
    anonygan prepare ytf --identities ytf.txt --output data/ytf
    python -m anonygan_jax.main --config=configs/faces.py --workdir=runs/faces

On a machine with a GPU and without TensorFlow, take these packs along (53 MiB):

    anonygan prepare --pack data/lfw data/celeba data/ytf embedded --output packs
    python -m launch.short_gpu --config=configs/faces.py:gpu --workdir=runs/faces

The generator has the warped condition as another input: the source with the condition's
face warped onto its landmarks. Its attention mask blends the drawn face with that.
In supervised pairs the condition is the source itself, spoiled as composites are
(`anonygan_jax.data.spoiled_conditions`): the generator learns to make a face fit, not
whose it is. In the other pairs the condition is another person of a similar pose, or a
composite. 15% of the people are held out (`anonygan_jax.data.pairs.is_held_out`) for
evaluation.

The generator in the package is of the recipe before: supervised pairs of two photos of
one person, `--config.pairs.supervised_condition=same_identity
--config.losses.context_matching_different_identity=1`.
"""

import ml_collections

from configs import celeba


def get_config(variant: str = "cpu") -> ml_collections.ConfigDict:
    """Returns the locked config of a variant, "cpu" or "gpu"."""
    config = celeba.get_config("paper").unlock()
    config.model.width = 16
    config.model.num_blocks = 3
    config.model.num_nodes = 32
    config.model.dropout_rate = 0.0
    config.model.heatmap_grid = None
    config.model.use_space_to_depth = False
    config.model.discriminator_width = 32
    config.model.uses_warped_condition = True
    config.model.landmark_dropout = 0.05
    # These weights and the supervised share are those of the package's generator.
    # Others leak less identity and draw worse (docs/RESULTS.md).
    config.losses.low_frequency_l1 = 10.0
    config.losses.identity_leak = 0.0
    config.losses.context_matching = 5.0
    config.losses.context_matching_different_identity = 0.0
    config.data.directory = "data/lfw,data/celeba,data/ytf"
    config.data.repeats = (3, 1, 1)  # LFW is the sharpest
    config.data.composites = "embedded"
    config.data.image_size = (112, 92)
    config.data.zoom = 1.4
    config.data.landmark_jitter = 4.0
    config.data.batch_size = 8
    config.data.loader = "memory"
    config.augmentation.flip_share = 0.5
    config.pairs.supervised_share = 0.6
    config.pairs.supervised_condition = "spoiled_source"
    config.pairs.min_photos_per_identity = 1
    config.pairs.held_out_share = 0.15
    config.pairs.composite_share = 0.5
    config.pairs.num_candidates = 8
    config.optimiser.generator_learning_rate = 4e-4
    config.optimiser.discriminator_learning_rate = 1e-4
    config.optimiser.num_steps = 20_000
    config.optimiser.decay_from_step = 12_000
    config.optimiser.ema_decay = 0.999
    config.evaluation.originals = "lfw"
    config.run.log_every_x_steps = 20
    config.run.picture_every_x_steps = 250
    config.run.checkpoint_every_x_steps = 100
    if variant == "gpu":
        _for_one_gpu(config)
    elif variant != "cpu":
        raise ValueError(f"unknown variant {variant!r}: cpu, gpu")
    return config.lock()


def _for_one_gpu(config: ml_collections.ConfigDict) -> None:
    """The same networks on packs; neither TensorFlow nor dlib is needed.

    For 25 minutes of one H100 or H200 with 16 cores, which make 1,270 pairs a second,
    fewer than the GPU trains. The number of updates matters most: 2,286 of 64 pairs
    reached the quality of 4,000 of 8 (docs/RESULTS.md). Batches of 16 were not trained
    on a GPU yet.
    """
    config.model.convolution = "matmul"  # 63 times the speed of untuned ones on an H200
    config.data.directory = "packs/lfw.npz,packs/celeba.npz,packs/ytf.npz"
    config.data.composites = "packs/embedded.npz"
    config.data.batch_size = 16
    config.data.num_workers = 14
    config.optimiser.num_steps = 80_000
    config.optimiser.decay_from_step = 60_000
    config.run.evaluate_every_x_steps = 0  # dlib would hold the CPUs
    config.run.log_every_x_steps = 200
    config.run.picture_every_x_steps = 5_000
    config.run.checkpoint_every_x_steps = 5_000
