"""Minimise smooth plus proximable: one loop, one stopping rule, one file a method."""
