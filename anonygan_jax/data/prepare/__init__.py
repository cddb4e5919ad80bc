"""Preparation of photos: records of aligned faces with landmarks."""
