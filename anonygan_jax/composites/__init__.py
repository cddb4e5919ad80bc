"""People who do not exist: made, described and kept in a bank."""
