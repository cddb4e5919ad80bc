"""Face recognition: descriptors, and thresholds on their distances."""
