"""AnonyGAN in JAX: faces in photos replaced by faces that belong to nobody."""

__version__ = "0.1.0"
