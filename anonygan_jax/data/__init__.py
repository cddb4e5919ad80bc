"""From photos to batches: landmarks, crops, records, pairs."""
