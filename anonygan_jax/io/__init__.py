"""Photos, atomic file writes, prefetching, worker processes, contact sheets."""
