"""AnonyGAN, reduced, on Labeled Faces in the Wild: what two CPU cores can train.

    anonygan prepare lfw --output data/lfw
    python -m anonygan_jax.main --config=configs/lfw.py --workdir=runs/lfw

About 130 ms a pair on two cores: 19,200 pairs in about an hour (docs/RESULTS.md). The network
is the paper's at a quarter of its width, with three graph blocks, at 112x92 pixels.
"""

import ml_collections
from configs import celeba


def get_config() -> ml_collections.ConfigDict:
    """Returns the locked config."""
    config = celeba.get_config("paper").unlock()
    config.model.width = 16
    config.model.num_blocks = 3
    config.model.num_nodes = 32
    config.model.heatmap_grid = None
    config.model.discriminator_width = 24
    config.data.directory = "data/lfw"
    config.data.image_size = (112, 92)
    config.data.batch_size = 8
    config.data.loader = "memory"
    config.pairs.min_photos_per_identity = 2
    config.optimiser.generator_learning_rate = 4e-4
    config.optimiser.num_steps = 2_400
    config.optimiser.decay_from_step = 1_600
    config.optimiser.ema_decay = 0.995
    config.run.log_every_x_steps = 20
    config.run.picture_every_x_steps = 250
    config.run.checkpoint_every_x_steps = 100
    return config.lock()
