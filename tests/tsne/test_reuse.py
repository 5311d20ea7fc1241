import pytest
import torch

from gradus.kernels.student_attraction import Affinities
from gradus.tsne import ExactRepulsion, KeptRepulsion, KLDivergence, Phase, PredictedRepulsion, descend, phases

RING = 40


class Quiet:
    every = 1000

    def __call__(self, iteration, divergence, embedding):
        return False


class Counted:
    """All pairs, and how often they were summed."""

    def __init__(self):
        self.calls = 0

    def __call__(self, embedding):
        self.calls += 1
        return ExactRepulsion(1.0)(embedding)


def ring():
    offsets = torch.arange(0, 2 * RING + 1, 2)
    nodes = torch.arange(RING)
    neighbours = torch.stack([(nodes - 1) % RING, (nodes + 1) % RING], 1).reshape(-1).int()
    return Affinities(offsets, neighbours, torch.full((2 * RING,), 1 / (2 * RING)))


def maps(count):
    return torch.randn(count, RING, 2, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_it_answers_as_of_the_call_that_was_computed(calls):
    kept = KeptRepulsion(ExactRepulsion(1.0), calls)
    embeddings = maps(7)
    for index, embedding in enumerate(embeddings):
        forces, normaliser = kept(embedding)
        expected = embeddings[index - index % calls].double().requires_grad_()
        weights = 1 / (1 + ((expected[:, None] - expected.detach()) ** 2).sum(2))
        (slope,) = torch.autograd.grad(weights.sum(), expected)
        torch.testing.assert_close(forces, (-slope / 2).float(), rtol=1e-4, atol=1e-4)
        assert normaliser == pytest.approx(weights.sum().item() - RING, rel=1e-5)


@pytest.mark.parametrize(("exaggeration", "expected"), [(12.0, 4), (1.0, 6)])
def test_many_points_have_it_computed_less_often(monkeypatch, exaggeration, expected):
    monkeypatch.setattr(phases, "MANY", RING - 1)
    counted = Counted()
    descend(KLDivergence(ring(), counted), maps(1)[0], [Phase(10, exaggeration, 0.01)], Quiet())
    # and once more for the divergence of what came out
    assert counted.calls == expected + 1


def test_a_prediction_is_the_line_through_the_last_two_that_were_computed():
    counted = Counted()
    predicted = PredictedRepulsion(counted)
    start, moved = maps(2)
    path = [start + 0.003 * time * moved for time in range(9)]
    found = [predicted(embedding) for embedding in path]
    computed = [0, 1, 2, 4, 6, 8]
    assert counted.calls == len(computed)
    exact = [ExactRepulsion(1.0)(embedding) for embedding in path]
    for time in computed:
        assert torch.equal(found[time][0], exact[time][0])
        assert found[time][1] == exact[time][1]
    for time, (before, after) in {3: (1, 2), 5: (2, 4), 7: (4, 6)}.items():
        share = (time - after) / (after - before)
        line = [exact[after][part] + share * (exact[after][part] - exact[before][part]) for part in (0, 1)]
        torch.testing.assert_close(found[time][0], line[0])
        assert found[time][1] == pytest.approx(line[1])


def test_what_jumps_is_never_predicted():
    counted = Counted()
    predicted = PredictedRepulsion(counted)
    for embedding in maps(8):
        predicted(embedding)
    assert counted.calls == 8


def test_few_points_are_never_pushed_late():
    counted = Counted()
    descend(KLDivergence(ring(), counted), maps(1)[0], [Phase(10, 12.0, 1.0)], Quiet())
    assert counted.calls == 11


def test_the_divergence_that_is_told_is_that_of_the_map_as_it_is(monkeypatch):
    monkeypatch.setattr(phases, "MANY", RING - 1)
    found = descend(KLDivergence(ring(), ExactRepulsion(1.0)), maps(1)[0], [Phase(8, 12.0, 20.0)], Quiet())
    expected = KLDivergence(ring(), ExactRepulsion(1.0)).value_and_gradient(found.embedding)[0]
    assert found.divergence == pytest.approx(float(expected), rel=1e-12)
