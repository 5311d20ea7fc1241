"""The commands, thin: each parses, calls one function of a room below, and prints."""

from gradus.cli.main import main

__all__ = ["main"]
