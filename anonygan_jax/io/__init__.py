"""Files, and work done ahead of its use."""
