"""What the benchmark ``cuda`` measures: one list for each topic, a row for each comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.cuda_cases import cross_entropy, pooling, top_k

if TYPE_CHECKING:
    from benchmarks.cuda_cases.case import Case

TOPICS: dict[str, list[Case]] = {
    "Pooling, forward and backward": pooling.CASES,
    "Top-k errors": top_k.CASES,
    "Cross-entropy and its derivative": cross_entropy.CASES,
}
