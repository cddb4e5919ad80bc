"""Networks of CIAGAN."""
