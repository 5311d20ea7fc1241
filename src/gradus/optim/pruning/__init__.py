"""Channels that are zero, taken out of a network for real."""

from gradus.optim.pruning.prune_channels import prune_channels
from gradus.optim.pruning.shapes import take_shapes

__all__ = ["prune_channels", "take_shapes"]
