"""CIAGAN, with which AnonyGAN is compared, trained by the same loop.

    anonygan prepare img_align_celeba --aligned --identities identity_CelebA.txt \
        --output data/celeba
    python -m anonygan_jax.main --config=configs/ciagan.py:paper \
        --config.data.directory=data/celeba --workdir=runs/ciagan

Variants:
  paper  the networks of its release, 128x128 pixels, 1,200 people of CelebA with at
         least 30 photos each.
  small  64x64 pixels and a quarter of the width for two CPU cores and a few hundred
         people, as those of YouTube Faces.
  tiny   a few seconds a step on a laptop, to see that everything works.

The first `optimiser.num_pretraining_steps` steps train the identity network alone. In
the others it is constant and guides the generator. The paper does not report the number
of steps: the numbers here are ours. Published result on CelebA: FID 37.94,
detected 96% (dlib) and 100% (FaceNet), re-identified 1.61% (CASIA) and 0.51% (VGG),
pose 1.44. docs/RESULTS.md has what was run.
"""

import ml_collections

from configs import celeba


def get_config(variant: str = "paper") -> ml_collections.ConfigDict:
    """Returns the locked config of a variant."""
    config = celeba.get_config("paper").unlock()
    config.system = "ciagan"
    config.model = _model()
    config.losses = ml_collections.ConfigDict()
    config.losses.adversarial = 1.0  # LSGAN's, by the critic
    config.losses.guidance = 1.0  # contrastive, by the identity network
    config.losses.margin = 3.0  # distance beyond which two people cost nothing
    config.data.image_size = (128, 128)
    config.data.batch_size = 32
    config.pairs.supervised_share = 0.5  # the wanted person is the source's
    config.optimiser.generator_learning_rate = 1e-4
    config.optimiser.discriminator_learning_rate = 1e-4  # the identity network's, too
    config.optimiser.num_pretraining_steps = 10_000
    config.optimiser.num_steps = 110_000
    config.optimiser.decay_from_step = 110_000  # the rate stays
    config.run.evaluate_every_x_steps = 0
    if variant == "small":
        _make_small(config)
    elif variant == "tiny":
        _make_small(config)
        _make_tiny(config)
    elif variant != "paper":
        raise ValueError(f"unknown variant {variant!r}: paper, small, tiny")
    return config.lock()


def _model() -> ml_collections.ConfigDict:
    """The networks of the release."""
    model = ml_collections.ConfigDict()
    model.num_identities = 1200  # people that can be drawn
    model.width = 32  # channels of the generator's first block
    model.num_blocks = 5  # halvings of the picture
    model.critic_width = 64
    model.siamese_width = 64  # of the identity network
    return model


def _make_small(config: ml_collections.ConfigDict) -> None:
    """For two cores."""
    config.model.num_identities = 256
    config.model.width = 16
    config.model.num_blocks = 4
    config.model.critic_width = 24
    config.model.siamese_width = 16
    config.data.image_size = (64, 64)
    config.data.batch_size = 16
    config.data.loader = "memory"
    config.pairs.min_photos_per_identity = 5
    config.optimiser.generator_learning_rate = 2e-4
    config.optimiser.discriminator_learning_rate = 2e-4
    config.optimiser.num_pretraining_steps = 800
    config.optimiser.num_steps = 3_500
    config.optimiser.decay_from_step = 2_800
    config.run.picture_every_x_steps = 250
    config.run.checkpoint_every_x_steps = 100


def _make_tiny(config: ml_collections.ConfigDict) -> None:
    """Everything smaller still; people with two photos suffice."""
    config.model.width = 4
    config.model.critic_width = 4
    config.model.siamese_width = 4
    config.data.batch_size = 8
    config.pairs.min_photos_per_identity = 2
    config.optimiser.num_pretraining_steps = 50
    config.optimiser.num_steps = 200
    config.optimiser.decay_from_step = 150
    config.run.log_every_x_steps = 10
    config.run.picture_every_x_steps = 100
    config.run.checkpoint_every_x_steps = 50
