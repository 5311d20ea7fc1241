"""t-SNE as scikit-learn knows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from gradus.estimators.stderr import reporting_to_stderr
from gradus.estimators.tensors import as_array
from gradus.estimators.tsne_input import AFFINITIES, DISTANCES, as_rows, relation_of, start_of
from gradus.estimators.tsne_parameters import check_parameters, require_integer
from gradus.estimators.tsne_phases import phases_from_start, phases_that_continue
from gradus.kernels.threads import threads
from gradus.tsne import (
    KLDivergence,
    Placement,
    as_affinities,
    as_matrix,
    at_their_twins,
    descend,
    field_of,
    place,
    repulsion_for,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Self

    from sklearn.utils import Tags
    from torch import Tensor

    from gradus.kernels.student_attraction import Affinities
    from gradus.tsne import Phase


_ACCEPTED: dict[str, Any] = {"accept_sparse": "csr", "dtype": [np.float64, np.float32]}


@dataclass(frozen=True)
class _Watch:
    """The user's callback as a watcher."""

    callback: Callable[[int, float, np.ndarray], bool | None] | None
    every: int

    def __call__(self, iteration: int, divergence: float, embedding: Tensor) -> bool:
        return self.callback is not None and bool(self.callback(iteration, divergence, embedding.numpy().copy()))


class TSNE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A map of the rows in which neighbours stay neighbours, by minimising KL(P || Q).

    The cost of an iteration grows in proportion to the number of rows: attraction runs over the neighbours, repulsion
    through one fast Fourier transform each way. The same ``random_state`` gives the same bits for any ``n_jobs``.

    Parameters
    ----------
    n_components : 1, 2 or 3. Repulsion is summed through a grid in one and two dimensions, through a tree in three.
    perplexity : the effective number of neighbours, 1 to (samples - 1) / 3; or a sequence of them, whose affinities are
        averaged. Not used where ``n_neighbors`` or ``sigma`` is given.
    n_neighbors : None, or the number of neighbours that every row is tied to with equal weight: 15 is fast and gives
        maps much like perplexity 30.
    sigma : None, or the width of the Gaussian of every row, in units of the metric, over ``n_neighbors`` neighbours (90
        where that is None, or as many as there are).
    metric : what ``X`` holds, and how far rows are apart. Rows of features, dense or CSR: "euclidean", "cosine" or
        "correlation", fast where dense; "manhattan", "chebyshev" (dense only) or a function of two dense rows, which
        take samples^2 calls. "precomputed": distances, (samples, samples), dense, or CSR in which every row stores its
        neighbours' (scanpy's ``distances``, scikit-learn's ``kneighbors_graph``). "precomputed_affinities": the weights
        of a graph, larger where nearer, 0 where there is no edge (scanpy's ``connectivities``, ``affinities_``).
    init : "pca"; "spectral", by the eigenvectors of the affinities; "random"; or an array (samples, n_components),
        which is scaled to a standard deviation of 1e-4: a layout to begin from. A graph takes "spectral".
    learning_rate : "auto", samples / exaggeration in each phase, or a positive number.
    early_exaggeration : the factor on the affinities in the first ``early_exaggeration_iter`` iterations.
    early_exaggeration_iter : how many those are.
    annealing_iter : iterations after those over which the factor falls, on a line, to ``late_exaggeration``.
    late_exaggeration : the factor in the iterations that remain; more than 1 for tighter, emptier clusters.
    max_iter : iterations in all; 0 leaves the points where they begin.
    dof : degrees of freedom of the kernel, positive. 1 is t-SNE; less spreads clusters apart and shows finer ones.
    n_jobs : threads; None and -1 mean all.
    random_state : None, an integer or a ``numpy.random.RandomState``, for ``init="random"``.
    verbose : 1 writes progress to stderr.
    callback : None, or a function of (iteration, divergence, embedding); True stops.
    callback_every : iterations between two calls of it, and between two measurements of the divergence.

    Attributes
    ----------
    embedding_ : (samples, n_components), float32
    affinities_ : (samples, samples) CSR, float32, symmetric, summing to 1: what the map shows; give it to another TSNE
        with ``metric="precomputed_affinities"`` to draw another map of the same neighbours
    kl_divergence_ : the divergence of the map, natural logarithm, without exaggeration
    n_iter_ : iterations that were run
    n_features_in_ : features of the rows
    learning_rate_ : the learning rate of the last phase

    References
    ----------
    van der Maaten & Hinton 2008, Visualizing Data using t-SNE; Linderman et al. 2019, Fast interpolation-based t-SNE;
    Kobak & Berens 2019, The art of using t-SNE for single-cell transcriptomics

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from gradus.estimators import TSNE
    >>> TSNE(perplexity=20, max_iter=300).fit_transform(load_iris().data).shape
    (150, 2)
    """

    def __init__(
        self,
        n_components: int = 2,
        perplexity: float | Sequence[float] = 30.0,
        n_neighbors: int | None = None,
        sigma: float | None = None,
        metric: str | Callable[[np.ndarray, np.ndarray], float] = "euclidean",
        init: str | np.ndarray = "pca",
        learning_rate: float | str = "auto",
        early_exaggeration: float = 12.0,
        early_exaggeration_iter: int = 100,
        annealing_iter: int = 0,
        late_exaggeration: float = 1.0,
        max_iter: int = 350,
        dof: float = 1.0,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        callback: Callable[[int, float, np.ndarray], bool | None] | None = None,
        callback_every: int = 50,
    ) -> None:
        self.n_components = n_components
        self.perplexity = perplexity
        self.n_neighbors = n_neighbors
        self.sigma = sigma
        self.metric = metric
        self.init = init
        self.learning_rate = learning_rate
        self.early_exaggeration = early_exaggeration
        self.early_exaggeration_iter = early_exaggeration_iter
        self.annealing_iter = annealing_iter
        self.late_exaggeration = late_exaggeration
        self.max_iter = max_iter
        self.dof = dof
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback
        self.callback_every = callback_every

    def fit(self, X: Any, y: object = None) -> Self:
        """Map the rows of ``X``: (samples, features), or what ``metric`` says it holds, finite; ``y`` is ignored.

        A torch tensor may be on any device: its rows are copied into memory, where a map is made, and the attributes
        are NumPy arrays.

        Raises
        ------
        InputError : if a parameter is out of its range, or ``perplexity`` too large for the number of rows
        ValueError : if ``X`` is not a finite, numeric matrix of at least two rows
        """
        check_parameters(self)
        rows = as_rows(validate_data(self, as_array(X), **_ACCEPTED, ensure_min_samples=2))
        with threads(self.n_jobs), reporting_to_stderr(self.verbose):
            relation = relation_of(rows, self)
            affinities = relation.joint()
            start = start_of(rows, affinities, self)
            self._descend(affinities, start, phases_from_start(self, len(start)), before=0)
        self._relation = relation.remembered()
        return self

    def fit_transform(self, X: Any, y: object = None) -> np.ndarray:
        """Map the rows of ``X`` and return ``embedding_``."""
        return np.array(self.fit(X).embedding_)

    def continue_fit(self, max_iter: int) -> Self:
        """Go on from ``embedding_``, as it is, for ``max_iter`` more iterations under ``late_exaggeration``.

        ``dof``, ``learning_rate``, ``late_exaggeration`` and the callback may have been changed by ``set_params``. The
        points start from rest. Nothing is searched again.

        Raises
        ------
        InputError : if a parameter is out of its range
        """
        check_is_fitted(self)
        check_parameters(self)
        require_integer("max_iter", max_iter, 1, None)
        start = torch.from_numpy(self.embedding_.copy())
        phases = phases_that_continue(self, len(start), int(max_iter))
        with threads(self.n_jobs), reporting_to_stderr(self.verbose):
            self._descend(as_affinities(self.affinities_), start, phases, before=self.n_iter_)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Put new rows, given as those of ``fit``, into the fitted map, which stays as it is.

        Each row is placed by its affinities to the rows of ``fit`` alone: one at a time gives what many give. A row
        that equals one of ``fit`` gets that one's place. Under ``metric="precomputed"`` ``X`` holds the distances of
        the new rows to those of ``fit``, (new, samples); under "precomputed_affinities" the weights.
        """
        check_is_fitted(self)
        rows = as_rows(validate_data(self, as_array(X), **_ACCEPTED, reset=False))
        with threads(self.n_jobs), reporting_to_stderr(self.verbose):
            attachment = self._relation.attachment(rows)
            fixed, dof = torch.from_numpy(self.embedding_), float(self.dof)
            placed = place(Placement(attachment.affinities, fixed, field_of(fixed, dof), dof))
            return at_their_twins(placed, attachment.twins, fixed).numpy()

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.pairwise = tags.input_tags.positive_only = self.metric in (DISTANCES, AFFINITIES)
        # the map is float32, whatever the rows are: half the memory to move, and far finer than a map can be read
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _descend(self, affinities: Affinities, start: Tensor, phases: list[Phase], *, before: int) -> None:
        dof = float(self.dof)
        objective = KLDivergence(affinities, repulsion_for(start, dof), dof)
        found = descend(objective, start, phases, _Watch(self.callback, int(self.callback_every)))
        self.affinities_ = as_matrix(affinities)
        self.embedding_ = found.embedding.numpy()
        self.kl_divergence_ = found.divergence
        self.n_iter_ = before + found.iterations
        if phases:
            self.learning_rate_ = phases[-1].learning_rate

    @property
    def _n_features_out(self) -> int:
        return int(self.embedding_.shape[1])
