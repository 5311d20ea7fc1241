"""t-SNE in four steps: neighbours, affinities, objective, embedding."""

from gradus.tsne.affinities import FixedGaussian, Gaussian, Gaussians, Kernel, Uniform, joint_affinities, row_affinities
from gradus.tsne.descent import GainDescent, Motion
from gradus.tsne.eigenmaps import laplacian_eigenmaps, principal_coordinates, sparse_principal_components
from gradus.tsne.field import field_of
from gradus.tsne.graph import as_affinities, as_matrix, joint_of_graph, rows_of_graph
from gradus.tsne.initialisation import principal_components, random_points, scaled
from gradus.tsne.measured import Chebyshev, Given, Manhattan, Measure, MeasuredSearch
from gradus.tsne.metric import METRICS, Metric, metric_named
from gradus.tsne.neighbours import Neighbours, Searchable
from gradus.tsne.objective import KLDivergence
from gradus.tsne.phases import Map, Phase, Watcher, automatic_learning_rate, descend, with_growing_momentum
from gradus.tsne.placement import Placement, at_their_twins, place
from gradus.tsne.precomputed import DistancesToAll, DistancesToSome
from gradus.tsne.quality import MapQuality, map_quality
from gradus.tsne.relation import Attachment, Connected, Neighbourly, Relation
from gradus.tsne.repulsion import ExactRepulsion, GridRepulsion, Repulsion, TreeRepulsion, repulsion_for
from gradus.tsne.reuse import KeptRepulsion, PredictedRepulsion
from gradus.tsne.search import Search
from gradus.tsne.sparse_search import SPARSE_METRICS, SparseMetric, SparseSearch
from gradus.tsne.spectrum import Rule

__all__ = [
    "METRICS",
    "SPARSE_METRICS",
    "Attachment",
    "Chebyshev",
    "Connected",
    "DistancesToAll",
    "DistancesToSome",
    "ExactRepulsion",
    "FixedGaussian",
    "GainDescent",
    "Gaussian",
    "Gaussians",
    "Given",
    "GridRepulsion",
    "KLDivergence",
    "KeptRepulsion",
    "Kernel",
    "Manhattan",
    "Map",
    "MapQuality",
    "Measure",
    "MeasuredSearch",
    "Metric",
    "Motion",
    "Neighbourly",
    "Neighbours",
    "Phase",
    "Placement",
    "PredictedRepulsion",
    "Relation",
    "Repulsion",
    "Rule",
    "Search",
    "Searchable",
    "SparseMetric",
    "SparseSearch",
    "TreeRepulsion",
    "Uniform",
    "Watcher",
    "as_affinities",
    "as_matrix",
    "at_their_twins",
    "automatic_learning_rate",
    "descend",
    "field_of",
    "joint_affinities",
    "joint_of_graph",
    "laplacian_eigenmaps",
    "map_quality",
    "metric_named",
    "place",
    "principal_components",
    "principal_coordinates",
    "random_points",
    "repulsion_for",
    "row_affinities",
    "rows_of_graph",
    "scaled",
    "sparse_principal_components",
    "with_growing_momentum",
]
