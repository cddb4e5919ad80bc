"""Figures of a method, each with its interval."""
