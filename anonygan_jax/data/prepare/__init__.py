"""Photos to records of aligned faces with landmarks."""
