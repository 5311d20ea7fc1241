"""A derivation on paper, in a terminal, in a notebook, or as data."""
