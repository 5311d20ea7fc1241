"""Channels that are zero, taken out of a network for real."""

from gradus.optim.pruning.prune_channels import prune_channels

__all__ = ["prune_channels"]
