"""Small networks for images, and how they are trained."""

from gradus.networks.augmentation import Augmentation
from gradus.networks.image_network import ImageNetwork, NetworkPlan, penultimate
from gradus.networks.images import LabelledImages, Shuffled
from gradus.networks.learner import Learner
from gradus.networks.optimizers import default_optimizers, trainable
from gradus.networks.training import Course, EpochRecord, Trained, train
from gradus.networks.whitening import whitening_filters

__all__ = [
    "Augmentation",
    "Course",
    "EpochRecord",
    "ImageNetwork",
    "LabelledImages",
    "Learner",
    "NetworkPlan",
    "Shuffled",
    "Trained",
    "default_optimizers",
    "penultimate",
    "train",
    "trainable",
    "whitening_filters",
]
