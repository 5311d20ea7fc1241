"""The run of a map: phases of exaggerated and plain descent, watched as they go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from gradus.core import progress
from gradus.tsne.descent import GainDescent, Motion, centred
from gradus.tsne.reuse import KeptRepulsion, PredictedRepulsion

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.tsne.objective import KLDivergence
    from gradus.tsne.repulsion import Repulsion


# what momentum a phase has, and the momenta after it: (iterations, momentum), the last one to the end. Clusters that
# are just released push hard, and a large momentum would throw them apart; what is left then is slow and smooth, and
# at 0.98 comes further in 150 iterations than at 0.8 in 1,000
MOMENTUM = 0.8
MOMENTA = ((50, 0.8), (50, 0.9))
LAST_MOMENTUM = 0.98
# for how many iterations the repulsion is kept while the affinities are exaggerated: the divergence of 70,000 digits is
# the same in the fourth decimal. Later, where a push that comes late feeds what the momentum swings, it is predicted.
# Neither is done among few points, which move far in a step: a push kept for two iterations all along would leave 1,797
# digits at 4.4 instead of 0.73 after 1,000
KEPT = 3
MANY = 20_000


class Watcher(Protocol):
    """What is told how a map comes along."""

    @property
    def every(self) -> int:
        """After how many iterations the divergence is measured, shown and handed over, again and again."""

    def __call__(self, iteration: int, divergence: float, embedding: Tensor) -> bool:
        """Return True to stop."""


@dataclass(frozen=True)
class Phase:
    """Iterations under one exaggeration, one learning rate (in the convention that lacks the factor 4) and momentum."""

    iterations: int
    exaggeration: float
    learning_rate: float
    momentum: float = MOMENTUM

    def sparing(self, repulsion: Repulsion, samples: int) -> Repulsion:
        """Return ``repulsion`` for one descent of so many points: if they are many, not always computed.

        Examples
        --------
        >>> from gradus.tsne import ExactRepulsion
        >>> Phase(100, exaggeration=12.0, learning_rate=500.0).sparing(ExactRepulsion(dof=1.0), samples=70_000)
        KeptRepulsion(repulsion=ExactRepulsion(dof=1.0), calls=3)
        """
        if samples <= MANY:
            return repulsion
        damped = self.exaggeration > 1 and self.momentum == MOMENTUM
        return KeptRepulsion(repulsion, KEPT) if damped else PredictedRepulsion(repulsion)


@dataclass(frozen=True)
class Map:
    """An embedding (samples, dimensions), its divergence and the number of iterations that were run."""

    embedding: Tensor
    divergence: float
    iterations: int


def automatic_learning_rate(samples: int, exaggeration: float) -> float:
    """Return samples / exaggeration, the rate at which exaggerated t-SNE converges fastest without diverging.

    References
    ----------
    Linderman & Steinerberger 2019, Clustering with t-SNE, provably; Belkina et al. 2019
    """
    return samples / exaggeration


def with_growing_momentum(phase: Phase) -> list[Phase]:
    """Return the last phase of a map as several: the same, but for a momentum that grows as the forces abate.

    Examples
    --------
    >>> [(part.iterations, part.momentum) for part in with_growing_momentum(Phase(250, 1.0, 500.0))]
    [(50, 0.8), (50, 0.9), (150, 0.98)]
    """
    parts, left = [], phase.iterations
    for iterations, momentum in (*MOMENTA, (left, LAST_MOMENTUM)):
        taken = min(iterations, left)
        left -= taken
        if taken > 0:
            parts.append(replace(phase, iterations=taken, momentum=momentum))
    return parts


def descend(objective: KLDivergence, start: Tensor, phases: list[Phase], watcher: Watcher) -> Map:
    """Run ``phases`` from ``start`` and return the map they lead to.

    The gains and the momentum carry over from one phase to the next, and the repulsion of many points is computed less
    often than it is used. ``watcher`` is called after every ``watcher.every`` iterations, with the divergence of the
    map as it is then, and decides whether to go on.
    """
    motion, done, stopped = Motion.at_rest(start), 0, False
    with progress.task("t-SNE", total=sum(phase.iterations for phase in phases)) as task:
        for phase in phases:
            spared = phase.sparing(objective.repulsion, len(start))
            exaggerated = replace(objective, repulsion=spared, exaggeration=phase.exaggeration)
            descent = GainDescent(phase.learning_rate / 4, phase.momentum)
            for _ in range(phase.iterations):
                motion = centred(descent.advance(motion, exaggerated.gradient(motion.embedding)))
                done += 1
                if done % watcher.every:
                    continue
                divergence = float(objective.value_and_gradient(motion.embedding)[0])
                task.advance(watcher.every, f"KL {divergence:.4f}")
                stopped = watcher(done, divergence, motion.embedding)
                if stopped:
                    break
            if stopped:
                break
    return Map(motion.embedding, float(objective.value_and_gradient(motion.embedding)[0]), done)
