"""The code that is printed runs, in NumPy and in torch, and computes what autograd computes."""

import inspect

import numpy as np
import pytest
import torch

from derive.formulas import FORMULAS, derived
from gradus.derive import derive, draw_point
from gradus.derive.code.pieces import safe_name

OTHERS = {
    "a name that is a keyword": "lambda: positive; x: vec(D); f = lambda*x.T @ x",
    "indices in front of slices": "X: mat(N, D); A: mat(D, D); f = sum[i,j](norm(A @ X[i,:] - X[j,:])^2)",
    "nested sums": "A: mat(N, N); x: vec(N); f = sum[i](exp(sum[j!=i](A[i,j]*x[j])))",
    "a diagonal": "A: mat(N, N); x: vec(N); f = sum[i](tanh(A[i,i])*x[i])",
    "a number for a function": "x: vec(D); f = sum(x)*exp(1)*sqrt(D) + max(0, sum(x))",
    "constants": "x: vec(D); f = sum(erf(x))/pi",
    "a tensor": "T: tensor(N, K, D); u: vec(K); f = sum[n,k,d](T[n,k,d]^2*u[k])",
    "a value without its variables": "x: vec(D); f = sum(softmax(x)) + sum(x)",
}


def function_of(source):
    namespace = {}
    exec(source, namespace)
    return next(value for name, value in namespace.items() if "_and_" in name)


def run(derivation, seed=0):
    """Return the results of both libraries and the values they were computed from."""
    program = derivation.differentiated.prepared.program
    point = draw_point(program, np.random.default_rng([seed, 11]))
    results = {}
    for library, convert in (("numpy", np.asarray), ("torch", torch.tensor)):
        function = function_of(getattr(derivation, library)())
        names = {safe_name(name): name for name in point.values}
        arguments = [convert(point.values[names[p]]) for p in inspect.signature(function).parameters]
        results[library] = [np.asarray(result) for result in function(*arguments)]
    return results, point


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: formula.name)
def test_code_agrees_with_autograd(formula):
    derivation, _ = derived(formula.name)
    results, point = run(derivation)
    values = {name: torch.tensor(value, requires_grad=True) for name, value in point.values.items()}
    wanted = [values[d.variable] for d in derivation.derivatives]
    expected = [g.numpy() for g in torch.autograd.grad(formula.torch(**values), wanted)]
    for library, found in results.items():
        for gradient, reference in zip(found[1:], expected, strict=True):
            assert gradient.shape == reference.shape
            np.testing.assert_allclose(gradient, reference, rtol=1e-8, atol=1e-10, err_msg=library)


@pytest.mark.parametrize("what", OTHERS)
def test_both_libraries_agree_and_match_differences(what):
    derivation = derive(OTHERS[what])
    results, _ = run(derivation)
    assert len(results["numpy"]) == 1 + len(derivation.derivatives)
    for one, other in zip(results["numpy"], results["torch"], strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


def test_the_docstring_names_shapes_and_what_was_used():
    source = derive(
        "X: mat(N, D); W: mat(D, K); Y: mat(N, K) simplex; P = softmax(X @ W); L = -sum(Y*log(P))", "W"
    ).numpy()
    documentation = function_of(source).__doc__
    for line in (
        "X : np.ndarray, shape (N, D); mat(N, D)",
        "dL_dW : shape (D, K); X.T @ (P - Y)",
        "every row of Y sums to 1",
    ):
        assert line in documentation


@pytest.mark.parametrize("order", ["hessian", "hvp", "jacobian", "pullback"])
def test_code_of_other_orders(order):
    text = "x: vec(D); A: mat(D, D); " + (
        "f = exp(x.T @ A @ x/9)" if order in {"hessian", "hvp"} else "y = tanh(A @ x)"
    )
    derivation = derive(text, "x", order=order)
    results, point = run(derivation)
    from gradus.derive import Evaluator

    derivative = derivation.derivatives[0]
    expected = Evaluator(derivation.differentiated.prepared.program, point).entries(
        derivative.expression, derivative.axes
    )
    for found in results.values():
        np.testing.assert_allclose(found[1], expected, rtol=1e-9)
