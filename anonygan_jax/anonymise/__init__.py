"""Photos and videos anonymised: faces selected, replaced, verified, reported."""
