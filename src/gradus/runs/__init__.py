"""The run directory and its steps: fit, evaluate, map, report."""
