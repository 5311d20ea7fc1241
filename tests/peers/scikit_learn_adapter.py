"""gradus's t-SNE under the names and signatures that scikit-learn's own tests of t-SNE use, and which of them apply."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch

from gradus import TSNE
from gradus.kernels.student_attraction import Affinities
from gradus.tsne import ExactRepulsion, KLDivergence


class ScikitLearnTSNE(TSNE):
    """TSNE that takes what scikit-learn's takes.

    ``method`` and ``angle`` choose among its two ways to compute a gradient; ours has one exact enough for both. Its
    perplexity may be as large as the rows are many, although three times as many neighbours have the weight; ours is
    lowered to what the rows allow, or replaced by one neighbour where they are fewer than four.
    """

    def __init__(self, n_components=2, *, method="exact", angle=0.5, **parameters):
        super().__init__(n_components, **parameters)
        self.method, self.angle = method, angle

    def fit(self, X, y=None):
        asked, rows = self.perplexity, X.shape[0]
        self.perplexity = max(1.0, min(asked, (rows - 1) / 3))
        self.n_neighbors = 1 if rows < 4 else None
        try:
            return super().fit(X, y)
        finally:
            self.perplexity, self.n_neighbors = asked, None


def gradient(weights, points, neighbors, indptr, gradient, *_, **__):
    """Write our gradient where Barnes-Hut writes its own, in the convention without the factor 4."""
    graph = Affinities(*(torch.from_numpy(part) for part in (indptr, neighbors.astype(np.int32), weights)))
    dof = 1.0
    gradient[:] = KLDivergence(graph, ExactRepulsion(dof), dof).gradient(torch.from_numpy(points)).numpy() / 4


def replace_in(module):
    """Put ours in the place of theirs."""
    module.TSNE = ScikitLearnTSNE
    module._barnes_hut_tsne = SimpleNamespace(gradient=gradient)


PASS = {
    "test_preserve_trustworthiness_approximately",
    "test_optimization_minimizes_kl_divergence",
    "test_fit_transform_csr_matrix",
    "test_preserve_trustworthiness_approximately_with_precomputed_distances",
    "test_bad_precomputed_distances",
    "test_sparse_precomputed_distance",
    "test_non_positive_computed_distances",
    "test_init_ndarray",
    "test_init_ndarray_precomputed",
    "test_early_exaggeration_used",
    "test_answer_gradient_two_points",
    "test_answer_gradient_four_points",
    "test_chebyshev_metric",
    "test_reduction_to_one_component",
    "test_64bit",
    "test_kl_divergence_not_nan",
    "test_uniform_grid",
    "test_tsne_n_jobs",
    "test_tsne_works_with_pandas_output",
}
PRIVATE = "calls scikit-learn's private functions, not its t-SNE"
OTHER_WORDS = "ours refuses it too, in words of its own: tests/estimators/test_tsne_input.py, test_tsne.py"
NOT_APPLICABLE = {
    "test_gradient_descent_stops": PRIVATE,
    "test_binary_search": PRIVATE,
    "test_binary_search_underflow": PRIVATE,
    "test_binary_search_neighbors": PRIVATE,
    "test_binary_perplexity_stability": PRIVATE,
    "test_gradient": PRIVATE,
    "test_trustworthiness": "of scikit-learn's trustworthiness, which we use",
    "test_trustworthiness_n_neighbors_error": "of scikit-learn's trustworthiness, which we use",
    "test_trustworthiness_not_euclidean_metric": "of scikit-learn's trustworthiness, which we use",
    "test_exact_no_precomputed_sparse": "demands that sparse distances are refused by one method; ours takes them",
    "test_high_perplexity_precomputed_sparse_distances": OTHER_WORDS,
    "test_pca_initialization_not_compatible_with_precomputed_kernel": "ours starts at the principal coordinates",
    "test_n_components_range": OTHER_WORDS,
    "test_max_iter_used": "demands an n_iter_ of one less than the iterations that ran",
    "test_skip_num_points_gradient": "an option of Barnes-Hut",
    "test_verbose": "of the words that scikit-learn prints to stdout; ours go to stderr",
    "test_barnes_hut_angle": PRIVATE,
    "test_n_iter_without_progress": "an option that ours does not have; a callback stops it",
    "test_min_grad_norm": "an option that ours does not have; a callback stops it",
    "test_accessible_kl_divergence": "reads the divergence from what scikit-learn prints to stdout",
    "test_bh_match_exact": "compares two methods of scikit-learn; ours has one",
    "test_gradient_bh_multithread_match_sequential": PRIVATE,
    "test_tsne_with_different_distance_metrics": (
        "demands the same bits of distances that were computed in two ways; ours agree to 1e-5, and its own: "
        "tests/estimators/test_tsne_input.py"
    ),
    "test_tsne_with_mahalanobis_distance": "ours takes a function as the metric, and no metric_params",
    "test_tsne_perplexity_validation": OTHER_WORDS,
}
