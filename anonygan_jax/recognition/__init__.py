"""Face recognisers and thresholds on their distances."""
