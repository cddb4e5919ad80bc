"""Photo files and their metadata."""
