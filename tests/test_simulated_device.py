"""The simulated device does what CUDA does, so that what passes on it is worth something."""

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch.autograd import forward_ad

from gradus.kernels import dispatch
from simulated_device import TRAFFIC, SimulatedTensor, simulated_device

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")


def numbers(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


@pytest.mark.parametrize(
    "make",
    [
        lambda on: torch.zeros(3, device=on),
        lambda on: torch.ones(3, dtype=torch.float64, device=on),
        lambda on: torch.full((2, 3), 7, device=on),
        lambda on: torch.empty((0, 3), device=on),
        lambda on: torch.tensor([1, 2], device=on),
        lambda on: torch.as_tensor(np.arange(3.0), device=on),
        lambda on: torch.arange(2, 9, 3, device=on),
        lambda on: torch.eye(2, 3, device=on),
        lambda on: torch.linspace(0, 1, 5, device=on),
        lambda on: torch.tril_indices(3, 3, device=on),
        lambda on: torch.arange(3.0).to(on, torch.float64),
        lambda on: torch.arange(3.0).to(torch.zeros(1, dtype=torch.int64, device=on)),
        lambda on: torch.from_numpy(np.arange(3)).to(on).new_tensor([4, 5]),
        lambda on: torch.zeros(3, device=on).new_full((2,), 3.0),
        lambda on: torch.zeros_like(torch.ones(3), device=on),
        lambda on: torch.ones(3, device=on).type_as(torch.ones(1, device=on)),
    ],
)
def test_what_is_made_on_a_device_is_there(make, device):
    found, wanted = make(device), make("cpu")
    assert found.device == device
    assert found.is_cuda
    assert found.cpu().device.type == "cpu"
    assert not isinstance(found.cpu(), SimulatedTensor)
    assert found.dtype == wanted.dtype
    assert torch.equal(found.cpu(), wanted)


def test_what_is_drawn_on_a_device_is_there(device):
    assert torch.randn(3, device=device).device == device
    assert torch.randperm(5, device=device).sort().values.tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(RuntimeError, match="Expected a 'cuda' device type for generator but found 'cpu'"):
        torch.rand(3, device=device, generator=torch.Generator())


@pytest.mark.parametrize(
    "mix",
    [
        lambda here, there: here + there,
        lambda here, there: there * here,
        lambda here, there: here @ there,
        lambda here, there: torch.cat([here, there]),
        lambda here, there: here.add_(there),
        lambda here, there: there.add_(here),
        lambda here, there: there.add_(here.sum()),
        lambda here, there: torch.add(here, here, out=there),
        lambda here, there: torch.where(here > 0, here, there),
        lambda here, there: here.gather(0, torch.zeros(1, 4, dtype=torch.int64)),
        lambda here, there: there[torch.zeros(1, dtype=torch.int64, device=here.device)],
        lambda here, there: here.index_put((torch.tensor([0]),), torch.ones(1, 4)),
        lambda here, there: torch.nn.functional.linear(here, there),
    ],
)
def test_two_devices_never_meet(mix, device):
    with pytest.raises(RuntimeError, match=r"(?i)same device|is on cpu|on cuda|device"):
        mix(torch.ones(4, 4, device=device), torch.ones(4, 4))


def test_numbers_without_axes_indices_and_copies_may_come_from_the_processor(device):
    x = torch.ones(4, 4, device=device)
    assert (x + torch.tensor(2.0)).device == device
    assert x[torch.tensor([1, 2])].device == device
    x.copy_(torch.full((4, 4), 5.0))
    there = torch.zeros(4, 4)
    assert there.copy_(x) is there
    assert there.sum() == 80


@pytest.mark.parametrize("read", [lambda x: x.numpy(), np.asarray, lambda x: memoryview(x)])
def test_memory_of_a_device_is_not_the_processors(read, device):
    with pytest.raises(TypeError):
        read(torch.ones(3, device=device))


def test_a_view_is_the_memory_of_its_base(device):
    x = torch.zeros(4, 4, device=device)
    x.view(-1)[3:5].add_(1)
    x.t()[0] = 7
    x[x > 6] -= 2
    torch.add(x[2], 1, out=x[3])
    assert x.tolist() == [[5, 0, 0, 1], [5, 0, 0, 0], [5, 0, 0, 0], [6, 1, 1, 1]]


def test_gradients_go_through_views_and_from_device_to_device(device):
    found = []
    for on in (device, "cpu"):
        x = numbers(6).requires_grad_()
        moved = x.to(on) * 2
        moved[1:3].mul_(3)
        moved.square().sum().cpu().backward()
        found.append(x.grad)
    assert not isinstance(found[0], SimulatedTensor)
    assert torch.equal(*found)


def test_a_module_moves_and_learns_as_it_does_on_the_processor(device):
    start = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 2)).double()
    found = []
    for on in (device, "cpu"):
        network = copy.deepcopy(copy.deepcopy(start).to(on))
        assert all(parameter.device.type == torch.device(on).type for parameter in network.parameters())
        optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
        for _ in range(2):
            optimizer.zero_grad()
            network(numbers(5, 4).to(on)).square().sum().backward()
            optimizer.step()
        found.append([value.cpu() for value in network.state_dict().values()])
    for own, other in zip(*found, strict=True):
        torch.testing.assert_close(own, other)


def test_forward_mode_and_transforms_of_functions(device):
    def cube(x):
        return (x**3 * torch.arange(3.0, dtype=x.dtype, device=x.device)).sum()

    x = numbers(4, 3)
    moved = x.to(device)
    with forward_ad.dual_level():
        tangent = forward_ad.unpack_dual(cube(forward_ad.make_dual(moved, moved))).tangent
    torch.testing.assert_close(tangent.cpu(), torch.func.jvp(cube, (x,), (x,))[1])
    for transform in (torch.func.grad, torch.func.jacrev, torch.func.jacfwd, torch.func.hessian):
        found = torch.vmap(transform(cube))(moved)
        assert found.device == device
        torch.testing.assert_close(found.cpu(), torch.vmap(transform(cube))(x))


def test_a_thread_of_its_own_has_the_device_too(device):
    with ThreadPoolExecutor(1) as apart:
        assert apart.submit(lambda: torch.ones(3, device=device).sum().item()).result() == 3


def test_what_waits_for_the_device_is_counted():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with simulated_device() as traffic:
        x = torch.ones(3).to("cuda")
        assert (traffic.to_device, traffic.to_host, traffic.numbers_read) == (1, 0, 0)
        assert bool((x.sum() + x[0]).item() == 4)
        x.cpu()
        assert (traffic.to_device, traffic.to_host, traffic.numbers_read) == (1, 1, 1)
        assert traffic is TRAFFIC


def test_no_kernel_of_a_gpu_runs():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with simulated_device():
        assert all(dispatch.chosen(kernel, "cuda") not in ("cpu", "cuda") for kernel in dispatch.kernels())


def test_afterwards_torch_is_as_it_was():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    before = {name: getattr(torch.Tensor, name) for name in ("to", "cuda", "type_as", "device")}
    with simulated_device():
        pass
    assert {name: getattr(torch.Tensor, name) for name in before} == before
    with pytest.raises((RuntimeError, AssertionError)):
        torch.zeros(3, device="cuda")
