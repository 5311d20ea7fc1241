import math

import pytest
import torch

from gradus.core.errors import InputError
from gradus.optim import Muon, keller_scale, rms_scale, unit_scale
from optim.trajectories import apart, of_optax, taken

STEPS = 8


def gradients(*shape):
    return torch.randn(STEPS, *shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("shape", [(8, 20), (20, 8)])
@pytest.mark.parametrize("nesterov", [True, False])
@pytest.mark.parametrize(("scale", "theirs"), [(keller_scale, "original"), (rms_scale, "match_rms_adamw")])
def test_matrices_take_torchs_steps_to_the_bit(shape, nesterov, scale, theirs):
    settings = {"lr": 0.05, "momentum": 0.9, "nesterov": nesterov, "weight_decay": 0.1}
    start, given = torch.ones(shape), gradients(*shape)
    ours = taken(lambda p: Muon(p, **settings, scale=scale, compute_dtype=torch.bfloat16), start, given)
    torchs = taken(lambda p: torch.optim.Muon(p, **settings, adjust_lr_fn=theirs), start, given)
    assert torch.equal(ours, torchs)


def test_a_filter_is_the_row_of_a_matrix():
    start, given = torch.ones(6, 3, 2, 2), gradients(6, 3, 2, 2)
    filters = taken(lambda p: Muon(p, lr=0.1), start, given)
    rows = taken(lambda p: Muon(p, lr=0.1), start.flatten(1), given.flatten(2))
    assert torch.equal(filters.flatten(2), rows)


def test_float32_is_within_bfloat16s_rounding_of_torch():
    start, given = torch.zeros(16, 40), gradients(16, 40)
    ours = taken(lambda p: Muon(p, lr=0.1, momentum=0.9), start, given)
    torchs = taken(lambda p: torch.optim.Muon(p, lr=0.1, momentum=0.9, weight_decay=0.0), start, given)
    assert 1e-5 < apart(ours, torchs) < 0.05


def test_optax_without_nesterov_and_with_its_orientation():
    def scale(rows, columns):
        return math.sqrt(max(1, columns / rows))

    settings = {"lr": 0.1, "momentum": 0.9, "nesterov": False, "scale": scale}
    assert apart(taken(lambda p: Muon(p, **settings)), of_optax("muon without nesterov")) < 1e-6


def test_unit_norm_keeps_a_filter_at_one_per_row():
    filters = torch.nn.Parameter(gradients(4, 3, 3, 3)[0])
    optimizer = Muon([filters], lr=0.0, unit_norm=True, scale=unit_scale)
    filters.grad = torch.ones_like(filters)
    optimizer.step()
    assert float(filters.detach().norm()) == pytest.approx(2.0, rel=1e-6)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_memory_format_is_kept_and_does_not_matter(memory_format):
    filters = torch.nn.Parameter(gradients(4, 3, 3, 3)[0].contiguous(memory_format=memory_format))
    filters.grad = gradients(4, 3, 3, 3)[1].contiguous(memory_format=memory_format)
    Muon([filters], lr=0.1).step()
    assert filters.is_contiguous(memory_format=memory_format)
    plain = torch.nn.Parameter(gradients(4, 3, 3, 3)[0])
    plain.grad = gradients(4, 3, 3, 3)[1]
    Muon([plain], lr=0.1).step()
    torch.testing.assert_close(filters, plain)


def test_state_goes_through_a_file_that_runs_no_code(tmp_path):
    def fresh(start):
        parameter = torch.nn.Parameter(start.clone())
        return parameter, Muon([parameter], lr=0.1, scale=rms_scale, compute_dtype=torch.bfloat16)

    given = gradients(4, 3, 2, 2)
    parameter, optimizer = fresh(given[0])
    for gradient in given[:4]:
        parameter.grad = gradient
        optimizer.step()
    torch.save([parameter.detach(), optimizer.state_dict()], tmp_path / "state.pt")
    start, state = torch.load(tmp_path / "state.pt", weights_only=True)
    again, other = fresh(start)
    other.load_state_dict(state)
    for gradient in given[4:]:
        parameter.grad, again.grad = gradient, gradient
        optimizer.step()
        other.step()
    assert torch.equal(parameter, again)


def test_the_closure_is_run_with_gradients_and_its_loss_returned():
    filters = torch.nn.Parameter(torch.ones(2, 3))
    optimizer = Muon([filters], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = filters.square().sum()
        loss.backward()
        return loss.detach()

    assert float(optimizer.step(closure)) == 6.0
    assert float(filters.detach().sum()) < 6.0


def test_biases_and_wrong_settings_are_refused_in_words():
    with pytest.raises(InputError, match=r"shape \(3,\); expected two axes"):
        Muon([torch.nn.Parameter(torch.zeros(3))])
    with pytest.raises(InputError, match="momentum is 1"):
        Muon([torch.nn.Parameter(torch.zeros(3, 3))], momentum=1.0)
    with pytest.raises(InputError, match="lr is -1"):
        Muon([torch.nn.Parameter(torch.zeros(3, 3))], lr=-1.0)
    with pytest.raises(InputError, match="momentum is 2"):
        Muon([{"params": [torch.nn.Parameter(torch.zeros(3, 3))], "momentum": 2}])
    with pytest.raises(InputError, match="iterations is -1"):
        Muon([torch.nn.Parameter(torch.zeros(3, 3))], iterations=-1)
    with pytest.raises(InputError, match=r"coefficients is .*expected 3"):
        Muon([torch.nn.Parameter(torch.zeros(3, 3))], coefficients=(1.0, 2.0))
