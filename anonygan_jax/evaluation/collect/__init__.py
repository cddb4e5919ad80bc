"""Measurements of photos: detections, landmarks, descriptors, network features."""
