"""Ours beside the peers, in one process, on the same arrays; ``python -m benchmarks`` runs them all."""
