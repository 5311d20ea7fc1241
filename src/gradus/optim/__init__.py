"""Optimisers for networks that torch does not have, and what goes around torch's own: schedules, proximal steps."""

from gradus.optim.by_name import by_name
from gradus.optim.delta_bar_delta import DeltaBarDelta
from gradus.optim.lion import Lion
from gradus.optim.muon import Muon
from gradus.optim.newton_schulz import QUINTIC, newton_schulz
from gradus.optim.proximal import Proximal
from gradus.optim.pruning import prune_channels
from gradus.optim.schedules import constant, cosine, linear, one_cycle, steps, trapezoid, warmed_up
from gradus.optim.step_metrics import MetricRule, Step
from gradus.optim.step_scales import keller_scale, rms_scale, unit_scale
from gradus.optim.views import of_filters, of_input_channels

__all__ = [
    "QUINTIC",
    "DeltaBarDelta",
    "Lion",
    "MetricRule",
    "Muon",
    "Proximal",
    "Step",
    "by_name",
    "constant",
    "cosine",
    "keller_scale",
    "linear",
    "newton_schulz",
    "of_filters",
    "of_input_channels",
    "one_cycle",
    "prune_channels",
    "rms_scale",
    "steps",
    "trapezoid",
    "unit_scale",
    "warmed_up",
]
