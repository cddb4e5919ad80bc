"""Weights from files: official ones of other libraries, and our own generators."""
