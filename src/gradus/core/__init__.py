"""The vocabulary that all rooms share: protocols, solutions, errors, progress, devices."""
