"""AnonyGAN on the embedded faces of people who do not exist; runs anywhere.

    python -m anonygan_jax.main --config=configs/composites.py --workdir=runs/composites

About five minutes on two cores; pictures/ then shows condition, source, masked source,
output and composite of eight pairs. The set is small: this shows that everything works,
not the quality that can be reached.
"""

import ml_collections

from configs import celeba


def get_config() -> ml_collections.ConfigDict:
    """Returns the locked config."""
    config = celeba.get_config("paper").unlock()
    config.model.width = 16
    config.model.num_blocks = 2
    config.model.num_nodes = 32
    config.model.dropout_rate = 0.1
    config.model.heatmap_grid = None
    config.model.use_space_to_depth = False
    config.model.discriminator_width = 16
    config.data.directory = "embedded"
    config.data.image_size = (80, 64)
    config.data.batch_size = 8
    config.data.loader = "memory"
    config.pairs.min_photos_per_identity = 2
    config.optimiser.generator_learning_rate = 8e-4
    config.optimiser.num_steps = 400
    config.optimiser.decay_from_step = 250
    config.optimiser.ema_decay = 0.98
    config.run.evaluate_every_x_steps = 0  # a first look needs no measures
    config.evaluation.originals = ""
    config.run.log_every_x_steps = 20
    config.run.picture_every_x_steps = 100
    config.run.checkpoint_every_x_steps = 100
    return config.lock()
