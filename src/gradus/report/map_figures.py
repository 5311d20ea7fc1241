"""The figures that say how true a map is, in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gradus.report.formatting import percent

if TYPE_CHECKING:
    from collections.abc import Mapping

_RECALL = re.compile(r"recall_at_(\d+)")
_KEPT = "neighbours kept, of"


def figure_words(quality: Mapping[str, float]) -> dict[str, str]:
    """Return the figures of ``Map.quality`` by what a person calls them, in their order.

    Examples
    --------
    >>> figure_words({"kl_divergence": 0.7432, "recall_at_10": 0.456, "rank_correlation": 0.512})
    {'KL divergence': '0.743', 'neighbours kept, of 10': '45.6\\xa0%', 'rank correlation of distances': '0.51'}
    """
    words = {}
    for name, value in quality.items():
        recall = _RECALL.fullmatch(name)
        if recall:
            words[f"{_KEPT} {recall[1]}"] = percent(value)
        elif name == "kl_divergence":
            words["KL divergence"] = f"{value:.3f}"
        elif name == "rank_correlation":
            words["rank correlation of distances"] = f"{value:.2f}"
    return words


def figure_line(quality: Mapping[str, float]) -> str:
    """Return the figures on one line, such as the one under the picture; empty where there are none.

    Examples
    --------
    >>> figure_line({"kl_divergence": 0.7432, "recall_at_10": 0.456, "recall_at_50": 0.5, "rank_correlation": 0.512})
    'KL divergence 0.743 · neighbours kept 45.6\xa0% of 10, 50.0\xa0% of 50 · rank correlation of distances 0.51'
    """
    words = figure_words(quality)
    kept = [f"{value} of {name.rsplit(' ', 1)[1]}" for name, value in words.items() if name.startswith(_KEPT)]
    others = [f"{name} {value}" for name, value in words.items() if not name.startswith(_KEPT)]
    return " · ".join([*others[:1], *([f"neighbours kept {', '.join(kept)}"] if kept else []), *others[1:]])
