"""``torch.func`` and forward mode, to any order: against torch's own layers, torch's checks, and sums over samples."""

import pytest
import torch
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vmap

import catalogue
from gradus import layers
from gradus.layers import windows

# torch's forward mode scripts its own formulas
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
IN_TORCH = {
    "MaxPool2d": (3, 2, 1),
    "AvgPool2d": (3, 2, 1),
    "AdaptiveMaxPool2d": (3,),
    "AdaptiveAvgPool2d": (3,),
    "Conv2d": (2, 8, 3),
    "ConvTranspose2d": (2, 4, 3, 2),
}
# rows of the catalogue that draw numbers or weights in the call, which torch's check does not map
DRAWING = {"stochastic", "gated", "weighted"}
LEARNED = {"GeMPool2d": (2,), "MixedPool2d": (2,), "GatedPool2d": (2,), "RankPool2d": (2,), "Conv2d": (2, 3, 3)}


def numbers(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64) + 0.1


def cubes(layer):
    return lambda x: (layer(x) ** 3).sum()


@pytest.mark.parametrize("name", IN_TORCH)
def test_every_transform_gives_what_it_gives_of_torchs_layer(name):
    ours = getattr(layers, name)(*IN_TORCH[name]).double()
    theirs = getattr(torch.nn, name)(*IN_TORCH[name]).double()
    theirs.load_state_dict(ours.state_dict())
    x, along = numbers(3, 2, 6, 6), numbers(3, 2, 6, 6) - 0.5
    calls = {
        "jvp": lambda f: jvp(f, (x,), (along,))[1],
        "grad": lambda f: grad(cubes(f))(x),
        "grad of each": lambda f: vmap(grad(lambda one: cubes(f)(one[None])))(x),
        "grad of mapped": lambda f: grad(cubes(lambda v: vmap(f)(v[:, None])))(x),
        "forward over reverse": lambda f: jvp(grad(cubes(f)), (x,), (along,))[1],
        "hessian": lambda f: hessian(cubes(f))(x[:1, :, :4, :4]),
        "jacobians": lambda f: jacrev(f)(x[:1]) + jacfwd(f)(x[:1]),
        "many upstream gradients": lambda f: torch.autograd.functional.jacobian(f, x[:1], vectorize=True),
    }
    for what, call in calls.items():
        torch.testing.assert_close(call(ours), call(theirs), rtol=1e-12, atol=1e-12, msg=lambda m, w=what: f"{w}: {m}")


@pytest.mark.parametrize("name", sorted(catalogue.POOLING.keys() - DRAWING))
def test_torchs_check_in_forward_mode_and_mapped(name):
    x = numbers(1, 2, 4, 4).requires_grad_()
    call = lambda t: catalogue.POOLING[name](t, windows(2, 2))  # noqa: E731
    modes = {"check_batched_grad": True, "fast_mode": True}
    assert torch.autograd.gradcheck(call, x, check_forward_ad=True, check_batched_forward_grad=True, **modes)
    assert torch.autograd.gradgradcheck(call, x, check_fwd_over_rev=True, check_rev_over_rev=True, **modes)


@pytest.mark.parametrize("name", LEARNED)
def test_each_sample_has_its_own_gradient_of_learned_numbers(name):
    layer, x = getattr(layers, name)(*LEARNED[name]).double(), numbers(3, 2, 4, 4)
    given = {key: value.detach() for key, value in layer.named_parameters()}
    found = vmap(
        grad(lambda weights, one: cubes(lambda v: functional_call(layer, weights, (v[None],)))(one)), (None, 0)
    )
    for key, gradients in found(given, x).items():
        for one, gradient in zip(x, gradients, strict=True):
            wanted = torch.autograd.grad(cubes(layer)(one[None]), dict(layer.named_parameters())[key])[0]
            torch.testing.assert_close(gradient, wanted)
    several = {key: torch.stack([value, 1.5 * value]) for key, value in given.items()}
    second = functional_call(layer, {key: value[1] for key, value in several.items()}, (x,))
    torch.testing.assert_close(vmap(lambda weights: functional_call(layer, weights, (x,)))(several)[1], second)


def test_a_second_input_is_mapped_and_differentiated():
    x, logits = numbers(4, 2, 4, 4), numbers(4, 2, 4, 4)
    pooled = lambda a, b: layers.lip_pool(a, b, windows(2, 2))  # noqa: E731
    unfolded = lambda t: t.unflatten(-2, (2, 2)).unflatten(-1, (2, 2)).transpose(-3, -2).flatten(-2)  # noqa: E731
    wanted = lambda a, b: (unfolded(a) * unfolded(b).softmax(-1)).sum(-1)  # noqa: E731
    for place in (0, 1):
        own, other = (jacfwd(jacrev(f, argnums=1), argnums=place)(x[:1], logits[:1]) for f in (pooled, wanted))
        torch.testing.assert_close(own, other)
    torch.testing.assert_close(vmap(pooled, (0, None))(x, logits[0]), wanted(x, logits[0]))


@pytest.mark.parametrize(
    "layer", [layers.FractionalMaxPool2d(2, 3), layers.S3Pool2d(2, 2, 2), layers.StochasticPool2d(2)]
)
def test_layers_that_draw_are_mapped(layer):
    x = numbers(5, 2, 3, 6, 6)
    found = vmap(layer, randomness="different")(x)
    # every value stands in the plane that it comes from
    assert found.shape == (5, 2, 3, 3, 3)
    assert (found.reshape(30, 9, 1) == x.reshape(30, 1, 36)).any(-1).all()


def test_third_derivatives_and_activation_checkpoints():
    layer, x, along = layers.LpPool2d(3.0, 2), numbers(1, 1, 4, 4).requires_grad_(), numbers(1, 1, 4, 4)

    def second(point):
        first = torch.autograd.grad(cubes(layer)(point), point, create_graph=True)[0]
        return torch.autograd.grad((first * along).sum(), point, create_graph=True)[0]

    third = torch.autograd.grad((second(x) * along).sum(), x)[0]
    step = 1e-5
    ahead, behind = ((x + sign * step * along).detach().requires_grad_() for sign in (1, -1))
    torch.testing.assert_close(third, (second(ahead) - second(behind)) / (2 * step), rtol=1e-6, atol=1e-7)

    plain = torch.autograd.grad(layer(x).sum(), x)[0]
    again = torch.utils.checkpoint.checkpoint(layer, x, use_reentrant=False)
    assert torch.equal(torch.autograd.grad(again.sum(), x)[0], plain)


@pytest.mark.parametrize("name", ["AvgPool2d", "MaxPool2d", "SoftPool2d", "Conv2d"])
def test_transforms_inside_a_compiled_program(name):
    layer, x = getattr(layers, name)(*{"Conv2d": (2, 3, 3)}.get(name, (2,))).double(), numbers(2, 2, 4, 4)
    call = vmap(grad(lambda one: cubes(layer)(one[None])))
    torch.testing.assert_close(torch.compile(call, backend="aot_eager")(x), call(x))
