"""The run of a map: phases of exaggerated and plain descent, watched as they go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from gradus.core import progress
from gradus.tsne.descent import GainDescent, Motion, centred
from gradus.tsne.reuse import KeptRepulsion

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.tsne.objective import KLDivergence


# what momentum a phase has, and the momenta after it: (iterations, momentum), the last one to the end. Clusters that
# are just released push hard, and a large momentum would throw them apart; what is left then is slow and smooth, and
# at 0.98 comes further in 150 iterations than at 0.8 in 1,000
MOMENTUM = 0.8
MOMENTA = ((50, 0.8), (50, 0.9))
LAST_MOMENTUM = 0.98
# for how many iterations the repulsion is kept while the affinities are exaggerated: the divergence of 70,000 digits is
# the same in the fourth decimal. Not among few points, which move far in a step, and not later, where a push that comes
# late feeds what the momentum swings: 1,000 iterations on 1,797 digits would end at 4.4 instead of 0.73
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

    def iterations_per_repulsion(self, samples: int) -> int:
        """Return for how many iterations the repulsion of a map of so many points is kept.

        Examples
        --------
        >>> [Phase(100, rho, 500.0).iterations_per_repulsion(samples=70_000) for rho in (12.0, 1.0)]
        [3, 1]
        """
        damped = self.exaggeration > 1 and self.momentum == MOMENTUM
        return KEPT if damped and samples > MANY else 1


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

    The gains and the momentum carry over from one phase to the next, and the repulsion is kept for as many iterations
    as the phase says. ``watcher`` is called after every ``watcher.every`` iterations, with the divergence of the map as
    it is then, and decides whether to go on.
    """
    motion, done, stopped = Motion.at_rest(start), 0, False
    with progress.task("t-SNE", total=sum(phase.iterations for phase in phases)) as task:
        for phase in phases:
            kept = KeptRepulsion(objective.repulsion, phase.iterations_per_repulsion(len(start)))
            exaggerated = replace(objective, repulsion=kept, exaggeration=phase.exaggeration)
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
