"""Backward passes that are right, and ones with a known mistake of the kinds that have shipped in kernels."""

from check.corpus import elementwise, linear, reductions

RIGHT = [*elementwise.RIGHT, *linear.RIGHT, *reductions.RIGHT]
WRONG = [*elementwise.WRONG, *linear.WRONG, *reductions.WRONG]
