"""Frozen networks of others, for measures and losses."""
