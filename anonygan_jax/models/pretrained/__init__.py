"""Frozen networks whose features and classes the measures compare."""
