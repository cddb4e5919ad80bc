"""Many files: order, workers, journal."""
