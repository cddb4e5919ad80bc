"""What an evaluation writes."""
