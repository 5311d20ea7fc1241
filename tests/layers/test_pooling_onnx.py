"""ONNX's node cases of pooling."""

import warnings

import numpy as np
import pytest
import torch
from torch.nn import functional

from gradus import layers
from gradus.core.errors import InputError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from onnx.backend.test.case.node import collect_testcases

    NODE_CASES = collect_testcases(None)

KINDS = ("MaxPool", "AveragePool", "LpPool", "GlobalMaxPool", "GlobalAveragePool", "MaxUnpool")
CASES = {
    case.name: case
    for case in NODE_CASES
    if case.model is not None and case.model.graph.node[0].op_type in KINDS and case.model.graph.node[0].domain == ""
}
EXCEPTIONS = {
    "test_maxpool_2d_uint8": "integers are refused: they have no gradient",
    "test_maxunpool_export_with_output_shape": "ONNX counts in the plane that the windows came from, torch and gradus "
    "in the one that is wanted",
}
SAME = {"SAME_UPPER": layers.Same.UPPER, "SAME_LOWER": layers.Same.LOWER}


def read(case):
    node = case.model.graph.node[0]
    given = {a.name: list(a.ints) or (a.s.decode() if a.s else a.i) for a in node.attribute}
    inputs, outputs = ([torch.as_tensor(np.array(t)) for t in side] for side in case.data_sets[0])
    return node.op_type, given, inputs, outputs


def geometry(given):
    kernel = given["kernel_shape"]
    axes = len(kernel)
    flat = given.get("pads", [0] * 2 * axes)
    padding = SAME.get(given.get("auto_pad"), tuple(zip(flat[:axes], flat[axes:], strict=True)))
    stride, dilation = (tuple(given.get(name, [1] * axes)) for name in ("strides", "dilations"))
    return layers.windows(axes, tuple(kernel), stride, padding, dilation, ceil_mode=bool(given.get("ceil_mode", 0)))


def pooled(kind, given, inputs):
    """Return what gradus makes of a node, one tensor for each output."""
    x = inputs[0]
    if kind == "GlobalMaxPool":
        return [layers.adaptive_max_pool(x, 1, x.dim() - 2)]
    if kind == "GlobalAveragePool":
        return [layers.adaptive_average_pool(x, 1, x.dim() - 2)]
    if kind == "MaxUnpool":
        size = tuple(inputs[2][2:].tolist()) if len(inputs) > 2 else None
        return [layers.MaxUnpool2d(tuple(given["kernel_shape"]), tuple(given["strides"]))(x, inputs[1], size)]
    if kind == "AveragePool":
        counted = bool(given.get("count_include_pad", 0))
        return [layers.average_pool(x, geometry(given), count_include_pad=counted)]
    if kind == "LpPool":
        return [layers.lp_pool(x, given.get("p", 2), geometry(given))]
    return maxima(given, x)


def maxima(given, x):
    layer = (layers.MaxPool1d, layers.MaxPool2d, layers.MaxPool3d)[x.dim() - 3](1, return_indices=True)
    layer.windows = geometry(given)
    values, indices = layer(x)
    if given.get("storage_order", 0):
        height, width = x.shape[2:]
        indices = indices % width * height + indices // width
    planes = torch.arange(x.shape[0] * x.shape[1]).reshape(*x.shape[:2], *[1] * (x.dim() - 2))
    return [values, indices + planes * x.shape[2:].numel()]


@pytest.mark.parametrize("name", [name for name in CASES if name not in EXCEPTIONS])
def test_onnx_node_cases(name):
    kind, given, inputs, outputs = read(CASES[name])
    found = pooled(kind, given, inputs)
    tolerance = 5e-4 if "ceil_last_window" in name else 1e-6  # four digits are written in that case
    for own, other in zip(found, outputs, strict=False):
        torch.testing.assert_close(own, other, rtol=tolerance, atol=1e-6)


def test_integers_are_refused_in_words():
    kind, given, inputs, _ = read(CASES["test_maxpool_2d_uint8"])
    with pytest.raises(InputError, match="floating-point tensor was expected"):
        pooled(kind, given, inputs)


def test_unpooling_to_a_size_counts_in_its_plane():
    kind, given, (x, indices, size), outputs = read(CASES["test_maxunpool_export_with_output_shape"])
    came_from, wanted = 4, 5
    moved = indices // came_from * wanted + indices % came_from
    assert torch.equal(pooled(kind, given, [x, moved, size])[0], outputs[0])
    assert torch.equal(functional.max_unpool2d(x, moved, 2, output_size=tuple(size.tolist())), outputs[0])


def test_all_of_onnxs_cases_are_there():
    counts = {kind: sum(case.model.graph.node[0].op_type == kind for case in CASES.values()) for kind in KINDS}
    assert counts["MaxPool"] >= 17
    assert counts["AveragePool"] >= 18
    assert counts["LpPool"] >= 8
    assert min(counts.values()) >= 2
    assert any(len(read(case)[3]) == 2 for case in CASES.values())
    assert any(read(case)[1].get("storage_order") for case in CASES.values())
