"""Photos, and what detectors and networks see in them."""
