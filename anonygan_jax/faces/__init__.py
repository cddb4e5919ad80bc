"""Geometry and looks of a face, as arrays."""
