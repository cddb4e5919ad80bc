"""Photo in, photo out: detection, generation, pasting back, the command line."""
