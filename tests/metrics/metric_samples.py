"""Labels and scores for the tests of the metrics."""

import torch


def sample(rows=200, classes=6, seed=0, *, decimals=None, dtype=torch.float32):
    """Labels and scores, with ties where the scores are rounded to ``decimals``."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, classes, (rows,), generator=generator)
    scores = torch.randn(rows, classes, generator=generator)
    scores[torch.arange(rows), labels] += 1.0
    return labels, (scores if decimals is None else scores.round(decimals=decimals)).to(dtype)
