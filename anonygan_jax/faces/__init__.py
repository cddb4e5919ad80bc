"""Geometry and colour of a face, as arrays."""
