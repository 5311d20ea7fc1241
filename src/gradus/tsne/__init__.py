"""t-SNE in four steps: neighbours, affinities, objective, embedding."""

from gradus.tsne.affinities import Gaussian, Kernel, Uniform, joint_affinities, row_affinities
from gradus.tsne.descent import GainDescent, Motion
from gradus.tsne.field import field_of
from gradus.tsne.initialisation import principal_components, random_points, scaled
from gradus.tsne.metric import Metric, metric_named
from gradus.tsne.neighbours import Neighbours, Searchable
from gradus.tsne.objective import KLDivergence
from gradus.tsne.phases import Map, Phase, automatic_learning_rate, descend
from gradus.tsne.placement import Placement, at_their_twins, place
from gradus.tsne.repulsion import ExactRepulsion, GridRepulsion, Repulsion, repulsion_for
from gradus.tsne.spectrum import Rule

__all__ = [
    "ExactRepulsion",
    "GainDescent",
    "Gaussian",
    "GridRepulsion",
    "KLDivergence",
    "Kernel",
    "Map",
    "Metric",
    "Motion",
    "Neighbours",
    "Phase",
    "Placement",
    "Repulsion",
    "Rule",
    "Searchable",
    "Uniform",
    "at_their_twins",
    "automatic_learning_rate",
    "descend",
    "field_of",
    "joint_affinities",
    "metric_named",
    "place",
    "principal_components",
    "random_points",
    "repulsion_for",
    "row_affinities",
    "scaled",
]
