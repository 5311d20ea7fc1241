"""Top-k errors of scores on a GPU beside ``torch.topk``: the whole public call, down to figures on the processor."""

from __future__ import annotations

from functools import partial

import torch

from benchmarks.cuda_cases.case import Calls, Case
from gradus.metrics import top_k_errors

CLASSES = 1_000


def _prepared(rows: int, dtype: torch.dtype) -> Calls:
    generator = torch.Generator("cuda").manual_seed(0)
    scores = torch.randn(rows, CLASSES, device="cuda", generator=generator).to(dtype)
    labels = torch.randint(CLASSES, (rows,), device="cuda", generator=generator)
    scores[torch.arange(rows, device="cuda"), labels] += 2.5

    def ours() -> list[float]:
        found: list[float] = top_k_errors(labels, scores, k=(1, 5)).error.tolist()
        return found

    def peer() -> list[float]:
        hits = scores.topk(5).indices == labels[:, None]
        found: list[float] = (1 - torch.stack([hits[:, 0], hits.any(1)], 1).double().mean(0)).tolist()
        return found

    if dtype == torch.float32:  # narrower scores are tied, and topk picks one of those by chance
        apart = max(abs(own - other) for own, other in zip(ours(), peer(), strict=True))
        if apart > 1e-5:
            raise RuntimeError(f"the errors of gradus and torch.topk are {apart} apart")
    return Calls(ours, peer, float(scores.nbytes), row=1)


CASES = [
    Case(f"{rows:,} x {CLASSES:,}, {str(dtype)[6:]}", "torch.topk", partial(_prepared, rows, dtype), promise)
    for rows, dtype, promise in (
        (50_000, torch.float32, 1.0),
        (1_281_167, torch.float32, 5.0),
        (1_281_167, torch.bfloat16, 3.0),
    )
]
