"""Which condition a face gets."""
