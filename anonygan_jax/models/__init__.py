"""The networks, in Flax Linen; nothing here reads files or data sets."""
