"""Figures of a method, each with its 95% interval."""
