"""Neighbours, affinities, objective, embedding."""
