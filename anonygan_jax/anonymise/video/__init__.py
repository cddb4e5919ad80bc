"""Videos: detections, tracks, results."""
