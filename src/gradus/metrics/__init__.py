"""Top-k error: ranks, intervals, paired comparison."""
