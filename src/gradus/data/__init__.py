"""What a user has, read into a Dataset."""

from gradus.data.column import Column
from gradus.data.dataset import Dataset
from gradus.data.fingerprint import fingerprint
from gradus.data.options import ReadOptions
from gradus.data.reading import read
from gradus.data.split import Split, split_rows, stratified_split

__all__ = ["Column", "Dataset", "ReadOptions", "Split", "fingerprint", "read", "split_rows", "stratified_split"]
