"""t-SNE as scikit-learn knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from gradus.estimators.stderr import reporting_to_stderr
from gradus.estimators.tsne_parameters import check_parameters, initial_array
from gradus.kernels.threads import threads
from gradus.tsne import (
    Gaussian,
    Kernel,
    KLDivergence,
    Phase,
    Placement,
    Searchable,
    Uniform,
    at_their_twins,
    automatic_learning_rate,
    descend,
    field_of,
    joint_affinities,
    metric_named,
    place,
    principal_components,
    random_points,
    repulsion_for,
    row_affinities,
    scaled,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from sklearn.utils import Tags
    from torch import Tensor

# iterations of the early exaggeration, as in every t-SNE since 2008
EARLY_ITERATIONS = 250


class TSNE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A map of the rows in which neighbours stay neighbours, by minimising KL(P || Q).

    The cost of an iteration grows in proportion to the number of rows: attraction runs over the neighbours, repulsion
    through one fast Fourier transform each way. The same ``random_state`` gives the same bits for any ``n_jobs``.

    Parameters
    ----------
    n_components : 1, 2 or 3. Three take the exact repulsion, whose cost grows with the square of the rows.
    perplexity : the effective number of neighbours, 1 to (samples - 1) / 3. Not used where ``n_neighbors`` is given.
    n_neighbors : None, or the number of neighbours that every row is tied to with equal weight: 15 is fast and gives
        maps much like perplexity 30.
    metric : "euclidean", "cosine" or "correlation".
    init : "pca", "random" or an array (samples, n_components), which is scaled to a standard deviation of 1e-4.
    learning_rate : "auto", samples / exaggeration in each phase, or a positive number.
    early_exaggeration : the factor on the affinities in the first 250 iterations.
    max_iter : iterations in all.
    dof : degrees of freedom of the kernel, positive. 1 is t-SNE; less spreads clusters apart and shows finer ones.
    n_jobs : threads; None and -1 mean all.
    random_state : None, an integer or a ``numpy.random.RandomState``, for ``init="random"``.
    verbose : 1 writes progress to stderr.
    callback : None, or a function of (iteration, divergence, embedding) called every 50 iterations; True stops.

    Attributes
    ----------
    embedding_ : (samples, n_components), float32
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
        perplexity: float = 30.0,
        n_neighbors: int | None = None,
        metric: str = "euclidean",
        init: str | np.ndarray = "pca",
        learning_rate: float | str = "auto",
        early_exaggeration: float = 12.0,
        max_iter: int = 750,
        dof: float = 1.0,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        callback: Callable[[int, float, np.ndarray], bool | None] | None = None,
    ) -> None:
        self.n_components = n_components
        self.perplexity = perplexity
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.init = init
        self.learning_rate = learning_rate
        self.early_exaggeration = early_exaggeration
        self.max_iter = max_iter
        self.dof = dof
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback

    def fit(self, X: np.ndarray, y: object = None) -> Self:
        """Map the rows of ``X`` (samples, features), finite; ``y`` is ignored.

        Raises
        ------
        InputError : if a parameter is out of its range, or ``perplexity`` too large for the number of rows
        ValueError : if ``X`` is not a finite, dense, numeric matrix of at least two rows
        """
        check_parameters(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        with threads(self.n_jobs), reporting_to_stderr(self.verbose):
            self._fit(torch.from_numpy(np.array(X, order="C")))
        return self

    def fit_transform(self, X: np.ndarray, y: object = None) -> np.ndarray:
        """Map the rows of ``X`` and return ``embedding_``."""
        return np.array(self.fit(X).embedding_)

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Put new rows (samples, features) into the fitted map, which stays as it is.

        Each row is placed by its affinities to the rows of ``fit`` alone: one at a time gives what many give. A row
        that equals one of ``fit`` gets that one's place.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        rows = torch.from_numpy(np.array(X, order="C"))
        with threads(self.n_jobs), reporting_to_stderr(self.verbose):
            kernel = self._kernel()
            neighbours = self._searchable.among(rows, kernel.count(len(self.embedding_)))
            affinities = row_affinities(neighbours, kernel.weights(neighbours))
            fixed, dof = torch.from_numpy(self.embedding_), float(self.dof)
            placed = place(Placement(affinities, fixed, field_of(fixed, dof), dof))
            return at_their_twins(placed, neighbours, fixed).numpy()

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        # the map is float32, whatever the rows are: half the memory to move, and far finer than a map can be read
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _fit(self, rows: Tensor) -> None:
        kernel = self._kernel()
        count = kernel.count(len(rows))
        searchable = Searchable.of(rows, metric_named(self.metric))
        neighbours = searchable.others(count)
        affinities = joint_affinities(neighbours, kernel.weights(neighbours))
        start = self._start(rows)
        phases = self._phases(len(rows))
        objective = KLDivergence(affinities, repulsion_for(start, float(self.dof)), float(self.dof))
        found = descend(objective, start, phases, self._watch)
        self.embedding_ = found.embedding.numpy()
        self.kl_divergence_ = found.divergence
        self.n_iter_ = found.iterations
        self.learning_rate_ = phases[-1].learning_rate
        self._searchable = searchable

    @property
    def _n_features_out(self) -> int:
        return int(self.embedding_.shape[1])

    def _kernel(self) -> Kernel:
        return Gaussian(float(self.perplexity)) if self.n_neighbors is None else Uniform(int(self.n_neighbors))

    def _start(self, rows: Tensor) -> Tensor:
        if not isinstance(self.init, str):
            return scaled(initial_array(self.init, len(rows), self.n_components))
        if self.init == "pca":
            return principal_components(rows, self.n_components)
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        return random_points(len(rows), self.n_components, torch.Generator().manual_seed(seed))

    def _phases(self, samples: int) -> list[Phase]:
        early = min(EARLY_ITERATIONS, self.max_iter)
        plan = [(early, float(self.early_exaggeration)), (self.max_iter - early, 1.0)]
        given = None if isinstance(self.learning_rate, str) else float(self.learning_rate)
        return [
            Phase(iterations, exaggeration, given or automatic_learning_rate(samples, exaggeration))
            for iterations, exaggeration in plan
        ]

    def _watch(self, iteration: int, divergence: float, embedding: Tensor) -> bool:
        return self.callback is not None and bool(self.callback(iteration, divergence, embedding.numpy().copy()))
