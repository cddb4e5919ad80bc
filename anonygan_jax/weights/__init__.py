"""Weights of the official PyTorch release as variables of our networks."""
