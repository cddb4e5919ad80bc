"""Starting runs, and proving for machines that are not here that they will run."""
