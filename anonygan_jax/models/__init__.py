"""The networks, in Flax Linen; they know nothing of files or data sets."""
