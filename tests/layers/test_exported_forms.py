"""What a file for other programs is made of: every form against the reference, and the files in ONNX's own runtime."""

import ast
import contextlib
import io
import logging
import re
import warnings
from collections import defaultdict
from pathlib import Path

import pytest
import torch
from torch import nn

from gradus import layers
from gradus.kernels.window_pooling.reference import pooled as written_out
from gradus.layers import (
    Bins,
    Same,
    Windows,
    average_pooling,
    gated_pooling,
    lp_pooling,
    max_pooling,
    mixed_pooling,
    stochastic_pooling,
    weighted_pooling,
    windows,
)
from gradus.layers.operators import Inputs

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

PAGE = Path(__file__).parents[2] / "docs" / "pooling.md"
UNEVEN = {"kernel_size": (3, 2), "stride": (1, 2), "padding": ((1, 0), (0, 1))}
OPERATORS = [
    max_pooling.MAX,
    max_pooling.MIN,
    average_pooling.MEAN,
    average_pooling.PADDED_MEAN,
    average_pooling.SUM,
    lp_pooling.L1,
    stochastic_pooling.EXPECTED,
    mixed_pooling.MIXED,
    gated_pooling.GATED,
    weighted_pooling.WEIGHTED,
]
GEOMETRIES = {
    "2x2": windows(2, 2),
    "3x3 with stride 2 and padding": windows(2, 3, 2, 1),
    "uneven": windows(2, (3, 2), (1, 3), ((1, 0), (0, 1)), (2, 1), ceil_mode=True),
    "same": windows(2, 3, 2, Same.UPPER),
    "ceil": windows(2, 3, 2, 1, ceil_mode=True),
    "a window that would start in the padding": windows(2, 2, 3, 1, ceil_mode=True),
    "same at the start, dilated": windows(2, 3, 2, Same.LOWER, 2),
    "more padding than torch takes": windows(2, 3, 1, 2),
    "one bin": Bins((1, 1)),
    "bins that divide": Bins((7, 3)),
    "bins that do not": Bins((4, 5)),
}


# bins have no weights for each position
ROWS = [
    (o, g)
    for o in OPERATORS
    for g, here in GEOMETRIES.items()
    if o not in (weighted_pooling.WEIGHTED, gated_pooling.GATED) or isinstance(here, Windows)
]


@pytest.mark.parametrize(("operator", "geometry"), ROWS)
def test_forms_are_their_reference(operator, geometry):
    here = GEOMETRIES[geometry]
    x = torch.randn(2, 3, 7, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    taps = getattr(here, "kernel", None)
    weights = torch.linspace(0.3, 1, torch.Size(taps or (1,)).numel(), dtype=torch.float64)
    weights = weights[:1] if operator.variant.name == "mixed_pool" else weights
    setting = 1.0 if operator is lp_pooling.L1 else 2.0
    call = Inputs(here, (setting,), weights=weights).call(x)
    found = operator.form(call)
    if geometry == "bins that do not":
        assert found is None
    else:
        torch.testing.assert_close(found, written_out(operator.variant, call).value, rtol=1e-12, atol=1e-12)


# the rows of the page's table
DOCUMENTED = {
    "MaxPool2d": layers.MaxPool2d(3, 2, 1),
    "MaxPool2d with return_indices": layers.MaxPool2d(3, 2, 1, return_indices=True),
    "MinPool2d": layers.MinPool2d(3, 2, 1),
    "AvgPool2d": layers.AvgPool2d(3, 2, 1, count_include_pad=False),
    "SumPool2d": layers.SumPool2d(3, 2, 1),
    "AdaptiveMaxPool2d where sizes divide": layers.AdaptiveMaxPool2d((4, 3)),
    "AdaptiveMaxPool2d elsewhere": layers.AdaptiveMaxPool2d((3, 5)),
    "AdaptiveAvgPool2d where sizes divide": layers.AdaptiveAvgPool2d((4, 3)),
    "AdaptiveAvgPool2d elsewhere": layers.AdaptiveAvgPool2d((3, 5)),
    "GlobalMaxPool2d": layers.GlobalMaxPool2d(),
    "GlobalAvgPool2d": layers.GlobalAvgPool2d(),
    "SpatialPyramidPool2d": layers.SpatialPyramidPool2d((1, 2, 4)),
    "LpPool2d of p = 1": layers.LpPool2d(1, 3, 2, padding=1),
    "LpPool2d": layers.LpPool2d(2.5, 3, 2, padding=1),
    "LogSumExpPool2d": layers.LogSumExpPool2d(3, 2, 1, sharpness=2.0),
    "SoftPool2d": layers.SoftPool2d(3, 2, 1),
    "LIPPool2d": layers.LIPPool2d(3, 2, 1),
    "GeMPool2d": layers.GeMPool2d(3, 2, 1),
    "StochasticPool2d in evaluation": layers.StochasticPool2d(3, 2, 1),
    "MixedPool2d": layers.MixedPool2d(3, 2, 1),
    "GatedPool2d": layers.GatedPool2d(3, 2, 1),
    "RankPool2d": layers.RankPool2d(3, 2),
    "MedianPool2d": layers.MedianPool2d(2),
    "S3Pool2d in evaluation": layers.S3Pool2d(2, 2, 4),
    "BlurPool2d": layers.BlurPool2d(4),
    "MaxBlurPool2d": layers.MaxBlurPool2d(),
}
FURTHER = {
    "max, uneven": layers.MaxPool2d(**UNEVEN, dilation=(2, 1), ceil_mode=True),
    "average, dilated": layers.AvgPool2d(**UNEVEN, ceil_mode=True, count_include_pad=False, dilation=(1, 2)),
    "l_2, ceil": layers.LpPool2d(2, 3, 2, padding=1, ceil_mode=True),
    "convolution": layers.Conv2d(3, 4, 3, padding="same"),
    "convolution, uneven": layers.Conv2d(3, 6, (3, 2), 2, ((0, 1), (1, 1)), groups=3, bias=False),
    "transposed": layers.ConvTranspose2d(3, 4, 3, 2, 1, output_padding=1),
    "transposed, uneven": layers.ConvTranspose2d(3, 3, 3, 2, ((1, 0), (0, 1)), groups=3, dilation=2),
}
# which operators tell how a layer is made; Gather is how windows are written out
TELLING = (
    "MaxPool AveragePool Conv ReduceMax ReduceMean ReduceSum ReduceLogSumExp Softmax TopK Gather ArgMax ScatterElements"
)


class Unpooled(nn.Module):
    """Maxima, and back."""

    def __init__(self, axes):
        super().__init__()
        name = f"{axes}d"
        self.pool = getattr(layers, f"MaxPool{name}")(3, 2, 1, return_indices=True)
        self.back = getattr(layers, f"MaxUnpool{name}")(3, 2, 1)

    def forward(self, x):
        values, indices = self.pool(x)
        return self.back(values, indices, x.shape)


class Each(nn.Module):
    """The outputs of some layers of one input."""

    def __init__(self, some):
        super().__init__()
        self.some = nn.ModuleList(some)

    def forward(self, x):
        found = []
        for layer in self.some:
            x = x + 1e-3  # alike steps of two layers would be made one
            made = layer(x, (2 * x).sin()) if "LIP" in type(layer).__name__ else layer(x)
            found.extend(made if isinstance(made, tuple) else [made])
        return tuple(found)


def exported(network, x, dynamic):
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(network, (x,), dynamo=True, dynamic_shapes=(dynamic,), verbose=False)
    logger.setLevel(level)
    return program.model_proto


def operators_by_module(model):
    """Return {module: the operators of ONNX that it is made of}, modules by their name in the network."""
    found = defaultdict(set)
    for node in model.graph.node:
        for scopes in (p.value for p in node.metadata_props if p.key == "pkg.torch.onnx.name_scopes"):
            found[next((s for s in reversed(ast.literal_eval(scopes)[:-1]) if s), "")].add(node.op_type)
    return found


def opened(model):
    session = onnxruntime.InferenceSession(model.SerializeToString())
    name = session.get_inputs()[0].name
    return lambda x: [torch.from_numpy(y) for y in session.run(None, {name: x.numpy()})]


def compare(network, example, other, dynamic):
    """Return the file, after it has given the network's numbers for an input of another size."""
    model = exported(network.eval(), example, dynamic)
    assert {node.domain for node in model.graph.node} == {""}
    with torch.no_grad():
        wanted = network(other)
    for own, theirs in zip(wanted, opened(model)(other), strict=True):
        # sums of at most 27 numbers of about 1 in float32, in another order: a few units of 1e-7
        torch.testing.assert_close(theirs, own, rtol=1e-5, atol=2e-6)
    return model


def samples():
    return {0: torch.export.Dim("samples", min=1)}


@pytest.fixture(scope="module")
def in_a_plane():
    torch.manual_seed(0)
    network = Each([*DOCUMENTED.values(), Unpooled(2), *FURTHER.values()])
    for parameter in network.parameters():
        nn.init.uniform_(parameter, 0.1, 1)
    return compare(network, torch.randn(2, 3, 8, 12), torch.randn(5, 3, 8, 12), samples())


def test_every_layer_of_a_plane_runs_in_onnxruntime_and_the_page_says_by_what(in_a_plane):
    used = {name: set() for name in [*DOCUMENTED, "MaxUnpool2d"]}
    for module, operators in operators_by_module(in_a_plane).items():
        place = re.match(r"some\.(\d+)", module)
        if place and int(place[1]) < len(used):
            used[list(used)[int(place[1])]] |= operators
    rows = [f"| {name} | {', '.join(op for op in TELLING.split() if op in found)} |" for name, found in used.items()]
    assert "\n".join(rows) in PAGE.read_text(), "\n".join(rows)


def test_lines_and_spaces():
    for axes, size in ((1, (9,)), (3, (5, 4, 6))):
        made = [getattr(layers, f"{name}Pool{axes}d")(3, 2) for name in ("Max", "Soft")]
        made += [getattr(layers, f"AdaptiveAvgPool{axes}d")(2), getattr(layers, f"BlurPool{axes}d")()]
        made += [getattr(layers, f"Conv{axes}d")(3, 4, 2, padding=1), getattr(layers, f"ConvTranspose{axes}d")(3, 2, 2)]
        compare(Each(made), torch.randn(2, 3, *size), torch.randn(4, 3, *size), samples())


def test_what_needs_no_written_out_windows_takes_images_of_any_size():
    network = nn.Sequential(
        layers.Conv2d(3, 4, 3, padding="same"),
        layers.MaxPool2d(3, 2, 1),
        layers.AvgPool2d(3, 1, 1),
        layers.BlurPool2d(),
        layers.GlobalAvgPool2d(),
    )
    model = exported(
        network, torch.randn(2, 3, 24, 30), {**samples(), 2: torch.export.Dim("h"), 3: torch.export.Dim("w")}
    )
    x = torch.randn(1, 3, 33, 19)
    torch.testing.assert_close(opened(model)(x)[0], network(x), rtol=1e-5, atol=2e-6)


def test_drawn_windows():
    uniform = torch.rand(2, 3, 2)

    class Drawing(nn.Module):
        def forward(self, x):
            fixed = layers.fractional_max_pool2d(x, 2, (3, 4), samples=uniform)
            return fixed, layers.stochastic_pool(layers.s3_pool2d(x, 1, 2, 4), windows(2, 2))

    x = torch.rand(2, 3, 8, 12) + 0.1
    run = opened(exported(Drawing(), torch.rand(2, 3, 8, 12), {}))
    (fixed, first), (_, second) = run(x), run(x)
    assert torch.equal(fixed, Drawing()(x)[0])
    assert first.shape == (2, 3, 2, 3) and torch.isin(first, x).all()
    assert not torch.equal(first, second)
