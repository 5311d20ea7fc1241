"""Smooth functions."""
