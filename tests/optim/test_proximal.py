"""Any optimiser with penalties: solutions against scikit-learn's, proximal steps against SciPy, resuming to the bit."""

import copy
import pickle

import numpy as np
import pytest
import scipy.optimize
import torch
from sklearn.linear_model import Lasso
from torch.optim import lr_scheduler

from gradus.core.errors import InputError
from gradus.optim import Lion, Muon, Proximal, by_name, cosine, of_filters, of_input_channels
from gradus.penalties import L0, L1, ElasticNet, GroupLasso, LInf, Nuclear

GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(80, 12, generator=GENERATOR, dtype=torch.float64) * torch.logspace(-0.2, 0.2, 12, dtype=torch.float64)
TRUTH = torch.tensor([2.0, 0, 0, -1.0, 0, 0, 0.5, 0, 0, 0, 0, 1.0], dtype=torch.float64)
Y = X @ TRUTH + 0.3 * torch.randn(80, generator=GENERATOR, dtype=torch.float64)
STRENGTH = 0.2

OPTIMISERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.3),
    "sgd, momentum": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9),
    "sgd, nesterov": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.05),
    "adam, amsgrad": lambda p: torch.optim.Adam(p, lr=0.05, amsgrad=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.0),
    "nadam": lambda p: torch.optim.NAdam(p, lr=0.05),
    "radam": lambda p: torch.optim.RAdam(p, lr=0.2),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.02),
    "rmsprop, momentum": lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.8),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.5),
    "adamax": lambda p: torch.optim.Adamax(p, lr=0.1),
    "adadelta": lambda p: torch.optim.Adadelta(p, lr=30.0),
}


def loss_at(weight):
    return 0.5 * (X @ weight - Y).square().mean()


def trained(make, penalty, steps=800):
    weight = torch.nn.Parameter(torch.zeros(12, dtype=torch.float64))
    optimizer = Proximal(make([weight]), {weight: penalty})
    scheduler = lr_scheduler.LambdaLR(optimizer, cosine(steps, last=1e-5))
    for _ in range(steps):
        optimizer.zero_grad()
        loss_at(weight).backward()
        optimizer.step()
        scheduler.step()
    return weight.detach()


@pytest.mark.parametrize("name", OPTIMISERS)
def test_the_lasso_of_scikit_learn_zeros_included(name):
    expected = Lasso(STRENGTH, fit_intercept=False, tol=1e-12, max_iter=100_000).fit(X.numpy(), Y.numpy()).coef_
    found = trained(OPTIMISERS[name], L1(STRENGTH)).numpy()
    assert 0 < np.count_nonzero(expected) < 12
    assert np.array_equal(found == 0, expected == 0)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_an_l1_term_in_the_loss_leaves_no_zeros_and_a_plain_threshold_misses_the_solution():
    """What the metric is for: the same strength, the two ways of doing it without."""
    expected = Lasso(STRENGTH, fit_intercept=False, tol=1e-12, max_iter=100_000).fit(X.numpy(), Y.numpy()).coef_
    by_loss = torch.nn.Parameter(torch.zeros(12, dtype=torch.float64))
    by_threshold = torch.nn.Parameter(torch.zeros(12, dtype=torch.float64))
    first, second = torch.optim.Adam([by_loss], lr=0.05), torch.optim.Adam([by_threshold], lr=0.05)
    schedulers = [lr_scheduler.LambdaLR(optimizer, cosine(800, last=1e-5)) for optimizer in (first, second)]
    for _ in range(800):
        first.zero_grad()
        (loss_at(by_loss) + STRENGTH * by_loss.abs().sum()).backward()
        first.step()
        second.zero_grad()
        loss_at(by_threshold).backward()
        second.step()
        with torch.no_grad():
            by_threshold.copy_(L1(STRENGTH).prox(by_threshold, second.param_groups[0]["lr"]))
        for scheduler in schedulers:
            scheduler.step()
    assert not (by_loss.detach() == 0).any()
    assert np.abs(by_threshold.detach().numpy() - expected).max() > 0.05


def test_a_step_of_adam_minimises_its_subproblem_by_scipy():
    weight = torch.nn.Parameter(torch.tensor([0.5, -0.2, 0.1, 2.0], dtype=torch.float64))
    inner = torch.optim.Adam([weight], lr=0.1, eps=1e-2)
    optimizer = Proximal(inner, {weight: ElasticNet(0.8, 0.5)})
    free = copy.deepcopy(weight)
    plain = torch.optim.Adam([free], lr=0.1, eps=1e-2)
    for step in range(1, 4):
        gradient = torch.tensor([1.0, -2.0, 0.1, 5.0], dtype=torch.float64) * step
        with torch.no_grad():
            free.copy_(weight)
        weight.grad, free.grad = gradient.clone(), gradient.clone()
        plain.step()
        optimizer.step()
        squares = sum(0.001 * 0.999 ** (step - k) * (gradient / step * k) ** 2 for k in range(1, step + 1))
        metric = ((squares / (1 - 0.999**step)).sqrt() + 1e-2) / 0.1
        for u, z, d in zip(weight.tolist(), free.tolist(), metric.tolist(), strict=True):
            best = scipy.optimize.minimize_scalar(
                lambda x, z=z, d=d: 0.8 * abs(x) + 0.25 * x**2 + 0.5 * d * (x - z) ** 2,
                bounds=(min(z, 0) - 1e-3, max(z, 0) + 1e-3),
                method="bounded",
                options={"xatol": 1e-12},
            )
            assert u == pytest.approx(best.x, abs=1e-6)


def network():
    torch.manual_seed(3)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 6, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(6 * 36, 3)
    )


def data():
    generator = torch.Generator().manual_seed(5)
    images = torch.randn(60, 1, 8, 8, generator=generator)
    labels = torch.randint(3, (60,), generator=generator)
    images[torch.arange(60), 0, labels * 2, :] += 2.0
    return images, labels


def epochs(model, optimizer, count):
    images, labels = data()
    for _ in range(count):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()


WHOLE = {
    "adam": (lambda p: torch.optim.Adam(p, lr=0.02), 0.05),
    "sgd": (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), 0.05),
    "adadelta": (lambda p: torch.optim.Adadelta(p, lr=1.0), 0.2),
    "lion": (lambda p: Lion(p, lr=0.005), 4.0),
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_filters_become_zero_and_training_resumes_to_the_bit(name, tmp_path):
    make, strength = WHOLE[name]

    def fresh():
        model = network()
        penalties = by_name(model, {"0.weight": of_filters(GroupLasso(strength)), "3.*": L1(strength / 50)})
        return model, Proximal(make(model.parameters()), penalties)

    model, optimizer = fresh()
    epochs(model, optimizer, 60)
    torch.save([model.state_dict(), optimizer.state_dict()], tmp_path / "state.pt")
    epochs(model, optimizer, 20)
    again, other = fresh()
    weights, state = torch.load(tmp_path / "state.pt", weights_only=True)
    again.load_state_dict(weights)
    other.load_state_dict(state)
    epochs(again, other, 20)
    for left, right in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(left, right)
    norms = model[0].weight.detach().flatten(1).norm(dim=1)
    assert 0 < int((norms == 0).sum()) < 6
    assert (model[3].weight == 0).any()
    assert optimizer.penalty() > 0


def test_muon_with_filters_and_nuclear_norm_where_entries_share_a_step():
    model = network()
    filters = [model[0].weight, model[3].weight]
    penalties = {filters[0]: of_filters(GroupLasso(0.8)), filters[1]: Nuclear(0.8)}
    epochs(model, Proximal(Muon(filters, lr=0.05), penalties), 60)
    assert (filters[0].detach().flatten(1).norm(dim=1) == 0).any()
    assert torch.linalg.matrix_rank(filters[1].detach()) < 3


def test_groups_closures_and_schedulers_go_through():
    first, second = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))
    inner = torch.optim.SGD([{"params": [first], "lr": 0.1}, {"params": [second], "lr": 0.2}])
    optimizer = Proximal(inner, {first: L1(1.0), second: L1(1.0)})
    scheduler = lr_scheduler.LambdaLR(optimizer, lambda step: 0.5**step)

    def closure():
        optimizer.zero_grad()
        loss = 0.0 * (first + second).sum()
        loss.backward()
        return loss.detach()

    for expected in ([0.9, 0.8], [0.85, 0.7]):
        assert float(optimizer.step(closure)) == 0.0
        scheduler.step()
        assert [float(first[0].detach()), float(second[0].detach())] == pytest.approx(expected)
    assert inner.param_groups[1]["lr"] == pytest.approx(0.05)
    third = torch.nn.Parameter(torch.ones(1))
    optimizer.add_param_group({"params": [third], "lr": 0.3})
    assert len(inner.param_groups) == len(optimizer.param_groups) == 3


def test_what_has_no_gradient_or_no_step_stays():
    moved, still = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))
    optimizer = Proximal(torch.optim.Adam([moved, still], lr=0.0), {moved: L0(5.0), still: L0(5.0)})
    moved.grad = torch.ones(2)
    optimizer.step()
    assert moved.tolist() == still.tolist() == [1.0, 1.0]
    optimizer.param_groups[0]["lr"] = 0.1
    optimizer.step()
    assert moved.tolist() == [0.0, 0.0]
    assert still.tolist() == [1.0, 1.0]


def test_the_same_network_through_a_gradient_scaler():
    plain, scaled = network(), network()
    optimizers = [Proximal(torch.optim.SGD(m.parameters(), lr=0.1), {m[0].weight: L1(0.01)}) for m in (plain, scaled)]
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    images, labels = data()
    for _ in range(3):
        for model, optimizer in zip((plain, scaled), optimizers, strict=True):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(images), labels)
            (loss if model is plain else scaler.scale(loss)).backward()
        optimizers[0].step()
        scaler.step(optimizers[1])
        scaler.update()
    torch.testing.assert_close(plain[0].weight, scaled[0].weight, rtol=1e-5, atol=1e-6)


def test_channels_of_views():
    weight = torch.arange(24.0).reshape(2, 3, 4)
    metric = 1 + torch.arange(24.0).reshape(2, 3, 4) / 10
    for axis, view in ((0, of_filters(GroupLasso(3.0))), (1, of_input_channels(GroupLasso(3.0)))):
        for index in range(weight.shape[axis]):
            part, own = weight.select(axis, index).reshape(1, -1), metric.select(axis, index).reshape(1, -1)
            found = view.prox_in_metric(weight, metric).select(axis, index).reshape(1, -1)
            torch.testing.assert_close(found, GroupLasso(3.0).prox_in_metric(part, own))
            found = view.prox(weight, 0.5).select(axis, index).reshape(1, -1)
            torch.testing.assert_close(found, GroupLasso(3.0).prox(part, 0.5))
    assert of_filters(GroupLasso(3.0)).value(weight) == GroupLasso(3.0).value(weight.flatten(1))
    with pytest.raises(InputError, match="expected 2 axes or more"):
        of_input_channels(GroupLasso(1.0)).value(torch.ones(3))


def test_copies_and_pickles_go_on_alike():
    model = network()
    optimizer = Proximal(torch.optim.Adam(model.parameters(), lr=0.1), {model[0].weight: L1(1.0)})
    both = (model, optimizer)
    images = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(3))
    results = []
    for own, its in (both, copy.deepcopy(both), pickle.loads(pickle.dumps(both))):
        for _ in range(3):
            its.zero_grad()
            own(images).square().sum().backward()
            its.step()
        results.append(own.state_dict())
    for other in results[1:]:
        assert all(torch.equal(results[0][name], other[name]) for name in results[0])
    assert (results[0]["0.weight"] == 0).any()


def test_mistakes_are_told():
    model = network()
    for given in ((3, {}), (torch.optim.SGD(model.parameters()), [1])):
        with pytest.raises(InputError, match="a mapping from its parameters"):
            Proximal(*given)
    with pytest.raises(InputError, match="a penalty is 3"):
        Proximal(torch.optim.SGD(model.parameters()), {model[0].weight: 3})
    with pytest.raises(InputError, match=r"'3\.wieght' \(did you mean '3\.weight'\?\)"):
        by_name(model, {"3.wieght": L1(1.0)})
    with pytest.raises(InputError, match="was not given"):
        Proximal(torch.optim.SGD([model[0].weight], lr=0.1), {model[3].weight: L1(1.0)})
    for penalty in (LInf(1.0), of_filters(Nuclear(1.0))):
        with pytest.raises(InputError, match="no prox in the diagonal metric of Adam"):
            Proximal(torch.optim.Adam([model[0].weight]), {model[0].weight: penalty})
    assert list(by_name(model, {"0.weight": L0(1.0), "*weight": L1(1.0)}).values()) == [L0(1.0), L1(1.0)]
