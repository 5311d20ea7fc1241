"""Code from closed forms: a function for NumPy or torch that runs as it stands."""
