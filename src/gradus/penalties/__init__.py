"""Proximable functions and their calculus."""
