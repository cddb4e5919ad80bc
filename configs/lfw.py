"""AnonyGAN, reduced, on Labeled Faces in the Wild: what two CPU cores can train.

    anonygan prepare lfw --output data/lfw
    python -m anonygan_jax.main --config=configs/lfw.py --workdir=runs/lfw

`configs/lfw.py:no_cm`, `:no_cm_la` and `:no_cm_la_29` are the rows of the paper's
ablation at this size; see configs/celeba.py.

About 100 ms a pair on two idle cores (docs/RESULTS.md). The network is the paper's at
a quarter of its width, with three graph blocks and little dropout, at 96x80 pixels. As
on the release's command line the condition of supervised pairs is the photo itself,
from which a short run learns fastest; in the other pairs it is another person. 15% of
the people are held out (`anonygan_jax.data.pairs.is_held_out`) for evaluation.
"""

import ml_collections

from configs import celeba


def get_config(variant: str = "paper") -> ml_collections.ConfigDict:
    """Returns the locked config of a variant."""
    if variant not in (known := ("paper", *celeba.ABLATION)):
        raise ValueError(f"unknown variant {variant!r}: {', '.join(known)}")
    config = celeba.get_config(variant).unlock()
    config.model.width = 16
    config.model.num_blocks = 3
    config.model.num_nodes = 32
    config.model.dropout_rate = 0.1
    config.model.heatmap_grid = None
    config.model.use_space_to_depth = False
    config.model.discriminator_width = 24
    config.data.directory = "data/lfw"
    config.data.image_size = (96, 80)
    config.data.batch_size = 8
    config.data.loader = "memory"
    config.pairs.supervised_condition = "source"
    config.pairs.min_photos_per_identity = 1
    config.pairs.held_out_share = 0.15
    config.optimiser.generator_learning_rate = 5e-4
    # At 2e-4 the discriminator wins after 800 steps and the faces fall apart.
    config.optimiser.discriminator_learning_rate = 4e-5
    config.optimiser.num_steps = 2_500
    config.optimiser.decay_from_step = 1_500
    config.optimiser.ema_decay = 0.995
    config.evaluation.originals = "lfw"
    config.run.log_every_x_steps = 20
    config.run.picture_every_x_steps = 250
    config.run.checkpoint_every_x_steps = 100
    return config.lock()
