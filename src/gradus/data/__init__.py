"""What a user has, read into a Dataset."""

from gradus.data.dataset import Dataset

__all__ = ["Dataset"]
