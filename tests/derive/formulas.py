"""The table of formulas: as a person types them, in torch as an oracle, and the textbook's gradients."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F  # noqa: N812

from gradus.derive import derive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor


@dataclass(frozen=True)
class Formula:
    """A formula and what is to come out.

    Attributes
    ----------
    text : the document; its last definition is differentiated
    torch : the same in torch, written by hand; called with the values by name
    gradients : variable -> the textbook's form; one with positions, as ``Y[i,:]``, is in index form
    used : the declarations that the derivation may rest on
    """

    name: str
    text: str
    torch: Callable[..., Tensor]
    gradients: Mapping[str, str]
    used: tuple[str, ...] = ()


def _gaussian(x, m, S):
    return torch.distributions.MultivariateNormal(m, S, validate_args=False).log_prob(x)


def _kl_of_gaussians(m, S, n, T):
    normal = torch.distributions.MultivariateNormal
    first, second = normal(m, S, validate_args=False), normal(n, T, validate_args=False)
    return torch.distributions.kl_divergence(first, second)


def _tsne(Y, P, a=None):
    squared = (Y[:, None] - Y[None]).pow(2).sum(-1)
    w = 1 / (1 + squared) if a is None else (1 + squared / a) ** (-a)
    off = ~torch.eye(len(Y), dtype=torch.bool)
    q = w / w[off].sum()
    return (P[off] * (P[off].log() - q[off].log())).sum()


def _sne(Y, P):
    squared = (Y[:, None] - Y[None]).pow(2).sum(-1).masked_fill(torch.eye(len(Y), dtype=torch.bool), torch.inf)
    off = ~torch.eye(len(Y), dtype=torch.bool)
    return (P[off] * (P[off].log() - torch.log_softmax(-squared, 1)[off])).sum()


def _layer_norm(x, g, b, u, e):
    # torch's layer_norm takes eps as a number, so that it carries no gradient; none is asked for
    return (u * F.layer_norm(x, x.shape, g, b, float(e.detach()))).sum()


def _batch_norm(X, g, b, U, e):
    return (U * F.batch_norm(X, None, None, g, b, training=True, eps=float(e.detach()))).sum()


def _attention(Q, K, V, G):
    return (G * F.scaled_dot_product_attention(Q[None, None], K[None, None], V[None, None])[0, 0]).sum()


def _mixture(X, c, m, s):
    logits = c.log() - torch.cdist(X, m).pow(2) / (2 * s)
    return torch.logsumexp(logits, 1).sum()


SOFTMAX_HEAD = "x: vec(D); W: mat(K, D); b: vec(K); y: simplex(K)\n"
BATCH_HEAD = "X: mat(N, D); W: mat(D, K); b: vec(K); Y: mat(N, K) simplex\n"
LINEAR_HEAD = "X: mat(N, D); w: vec(D); y: vec(N)\n"

FORMULAS = (
    Formula(
        "softmax cross-entropy",
        SOFTMAX_HEAD + "yhat = softmax(W @ x + b)\nL = -sum(y * log(yhat))",
        lambda x, W, b, y: F.cross_entropy((W @ x + b)[None], y[None]),
        {"W": "outer(yhat - y, x)", "b": "yhat - y", "x": "W.T @ (yhat - y)"},
        ("sum(y) = 1",),
    ),
    Formula(
        "softmax cross-entropy with temperature",
        SOFTMAX_HEAD + "T: positive\nyhat = softmax((W @ x + b)/T)\nL = -sum(y * log(yhat))",
        lambda x, W, b, y, T: F.cross_entropy(((W @ x + b) / T)[None], y[None]),
        {"W": "outer(yhat - y, x)/T", "b": "(yhat - y)/T", "x": "W.T @ (yhat - y) / T"},
        ("sum(y) = 1",),
    ),
    Formula(
        "softmax cross-entropy of a batch",
        BATCH_HEAD + "P = softmax(X @ W + b)\nL = -sum(Y * log(P))/N",
        lambda X, W, b, Y: F.cross_entropy(X @ W + b, Y),
        {"W": "X.T @ (P - Y) / N", "b": "colsum(P - Y)/N", "X": "(P - Y) @ W.T / N"},
        ("every row of Y sums to 1",),
    ),
    Formula(
        "multinomial regression with ridge",
        BATCH_HEAD + "r: positive\nP = softmax(X @ W + b)\nL = -sum(Y * log(P))/N + r/2*norm(W)^2",
        lambda X, W, b, Y, r: F.cross_entropy(X @ W + b, Y) + r / 2 * W.pow(2).sum(),
        {"W": "r*W + X.T @ (P - Y) / N", "b": "colsum(P - Y)/N"},
        ("every row of Y sums to 1",),
    ),
    Formula(
        "least squares",
        LINEAR_HEAD + "L = norm(X @ w - y)^2/2",
        lambda X, w, y: (X @ w - y).pow(2).sum() / 2,
        {"w": "X.T @ (X @ w - y)", "X": "outer(X @ w - y, w)"},
    ),
    Formula(
        "ridge regression",
        LINEAR_HEAD + "r: positive\nL = norm(X @ w - y)^2/(2*N) + r/2*norm(w)^2",
        lambda X, w, y, r: F.mse_loss(X @ w, y) / 2 + r / 2 * w @ w,
        {"w": "X.T @ (X @ w - y) / N + r*w"},
    ),
    Formula(
        "logistic regression",
        LINEAR_HEAD + "p = sigmoid(X @ w)\nL = -sum(y*log(p) + (1 - y)*log(1 - p))",
        lambda X, w, y: F.binary_cross_entropy_with_logits(X @ w, y, reduction="sum"),
        {"w": "X.T @ (p - y)"},
    ),
    Formula(
        "logistic regression with labels of both signs",
        LINEAR_HEAD + "L = sum(log(1 + exp(-y*(X @ w))))",
        lambda X, w, y: F.softplus(-y * (X @ w)).sum(),
        {"w": "-X.T @ (y*(1 - sigmoid(y*(X @ w))))"},
    ),
    Formula(
        "Poisson regression",
        LINEAR_HEAD + "m = exp(X @ w)\nL = sum(m - y*log(m))",
        lambda X, w, y: F.poisson_nll_loss(X @ w, y, log_input=True, reduction="sum"),
        {"w": "X.T @ (m - y)"},
    ),
    Formula(
        "Gaussian log-likelihood",
        "x: vec(D); m: vec(D); S: spd(D)\nl = -(logdet(S) + (x - m).T @ inv(S) @ (x - m) + D*log(2*pi))/2",
        _gaussian,
        {"m": "inv(S) @ (x - m)", "S": "(outer(inv(S) @ (x - m), inv(S) @ (x - m)) - inv(S))/2"},
        ("S = S.T",),
    ),
    Formula(
        "KL of two Gaussians",
        "m: vec(D); S: spd(D); n: vec(D); T: spd(D)\n"
        "L = (tr(inv(T) @ S) + (n - m).T @ inv(T) @ (n - m) - D + logdet(T) - logdet(S))/2",
        _kl_of_gaussians,
        {
            "m": "-inv(T) @ (n - m)",
            "n": "inv(T) @ (n - m)",
            "S": "(inv(T) - inv(S))/2",
            "T": "(inv(T) - inv(T) @ S @ inv(T) - outer(inv(T) @ (n - m), inv(T) @ (n - m)))/2",
        },
        ("T = T.T", "S = S.T"),
    ),
    Formula(
        "log-determinant",
        "X: mat(D, D)\nf = logdet(X.T @ X)/2",
        lambda X: torch.linalg.slogdet(X)[1],
        {"X": "X @ inv(X.T @ X)"},
    ),
    Formula("determinant", "X: mat(D, D)\nf = det(X)", lambda X: torch.linalg.det(X), {"X": "f*inv(X).T"}),
    Formula(
        "trace of a product",
        "A: mat(K, D); X: mat(D, N); B: mat(N, K)\nf = tr(A @ X @ B)",
        lambda A, X, B: torch.trace(A @ X @ B),
        {"X": "A.T @ B.T", "A": "B.T @ X.T", "B": "X.T @ A.T"},
    ),
    Formula(
        "trace with an inverse",
        "A: mat(D, D); X: mat(D, D)\nf = tr(A @ inv(X))",
        lambda A, X: torch.trace(A @ torch.linalg.inv(X)),
        {"X": "-inv(X).T @ A.T @ inv(X).T", "A": "inv(X).T"},
    ),
    Formula(
        "quadratic form",
        "x: vec(D); A: mat(D, D)\nf = x.T @ A @ x",
        lambda x, A: x @ A @ x,
        {"x": "(A + A.T) @ x", "A": "outer(x, x)"},
    ),
    Formula(
        "quadratic form of a symmetric matrix",
        "x: vec(D); A: symmetric(D)\nf = x.T @ A @ x",
        lambda x, A: x @ A @ x,
        {"x": "2*A @ x", "A": "outer(x, x)"},
        ("A = A.T",),
    ),
    Formula(
        "bilinear form",
        "x: vec(N); A: mat(N, D); y: vec(D)\nf = x.T @ A @ y",
        lambda x, A, y: x @ A @ y,
        {"x": "A @ y", "y": "A.T @ x", "A": "outer(x, y)"},
    ),
    Formula(
        "Rayleigh quotient",
        "x: vec(D); A: symmetric(D)\nR = x.T @ A @ x / (x.T @ x)",
        lambda x, A: x @ A @ x / (x @ x),
        {"x": "2*(A @ x - R*x)/(x.T @ x)", "A": "outer(x, x)/(x.T @ x)"},
        ("A = A.T",),
    ),
    Formula(
        "matrix factorisation with a mask",
        "M: mat(N, K); A: mat(N, K); U: mat(N, R); V: mat(K, R)\nL = sum(M*(A - U @ V.T)^2)/2",
        lambda M, A, U, V: (M * (A - U @ V.T) ** 2).sum() / 2,
        {"U": "(M*(U @ V.T - A)) @ V", "V": "(M*(U @ V.T - A)).T @ U"},
    ),
    Formula(
        "low rank plus diagonal",
        "d: vec(N) positive; U: mat(N, R)\nC = diag(d) + U @ U.T\nf = logdet(C)",
        lambda d, U: torch.logdet(torch.diag(d) + U @ U.T),
        {"U": "2*inv(C) @ U", "d": "diag(inv(C))"},
    ),
    Formula(
        "t-SNE",
        "Y: mat(N, D); P: mat(N, N) symmetric joint hollow\nd[i,j] = norm(Y[i,:] - Y[j,:])^2\nw[i,j] = 1/(1 + d[i,j])\n"
        "Z = sum[k!=l](w[k,l])\nQ = w/Z\nC = sum[i!=j](P[i,j]*log(P[i,j]/Q[i,j]))",
        _tsne,
        {"Y[i,:]": "4*sum[j](w[i,j]*(P[i,j] - Q[i,j])*(Y[i,:] - Y[j,:]))"},
        ("P has a zero diagonal", "sum(P) = 1", "P = P.T"),
    ),
    Formula(
        "t-SNE with degrees of freedom",
        "Y: mat(N, D); P: mat(N, N) symmetric joint hollow; a: positive\nd[i,j] = norm(Y[i,:] - Y[j,:])^2\n"
        "w[i,j] = (1 + d[i,j]/a)^(-a)\nZ = sum[k!=l](w[k,l])\nQ = w/Z\nC = sum[i!=j](P[i,j]*log(P[i,j]/Q[i,j]))",
        _tsne,
        {"Y[i,:]": "4*sum[j]((P[i,j] - Q[i,j])*(Y[i,:] - Y[j,:])/(1 + d[i,j]/a))"},
        ("P has a zero diagonal", "sum(P) = 1", "P = P.T"),
    ),
    Formula(
        "stochastic neighbour embedding",
        "Y: mat(N, D); P: mat(N, N) simplex hollow\nd[i,j] = norm(Y[i,:] - Y[j,:])^2\n"
        "Z[i] = sum[j!=i](exp(-d[i,j]))\nQ[i,j] = exp(-d[i,j])/Z[i]\nC = sum[i!=j](P[i,j]*log(P[i,j]/Q[i,j]))",
        _sne,
        {"Y[i,:]": "2*sum[j]((P[i,j] + P[j,i] - Q[i,j] - Q[j,i])*(Y[i,:] - Y[j,:]))"},
        ("P has a zero diagonal", "every row of P sums to 1"),
    ),
    Formula(
        "kernel ridge regression",
        "K: spd(N); a: vec(N); y: vec(N); r: positive\nL = norm(K @ a - y)^2/2 + r/2*a.T @ K @ a",
        lambda K, a, y, r: (K @ a - y).pow(2).sum() / 2 + r / 2 * a @ K @ a,
        {"a": "K @ (K @ a + r*a - y)"},
        ("K = K.T",),
    ),
    Formula("log-sum-exp", "x: vec(D)\nf = logsumexp(x)", lambda x: torch.logsumexp(x, 0), {"x": "softmax(x)"}),
    Formula(
        "log-sum-exp, spelt out",
        "x: vec(D)\nf = log(sum(exp(x)))",
        lambda x: torch.logsumexp(x, 0),
        {"x": "softmax(x)"},
    ),
    Formula(
        "cosine similarity",
        "x: vec(D); y: vec(D)\ns = x.T @ y / (norm(x)*norm(y))",
        lambda x, y: F.cosine_similarity(x, y, dim=0),
        {"x": "y/(norm(x)*norm(y)) - s*x/(x.T @ x)", "y": "x/(norm(x)*norm(y)) - s*y/(y.T @ y)"},
    ),
    Formula(
        "InfoNCE of one query",
        "q: vec(D); K: mat(N, D); y: simplex(N); T: positive\ns = K @ q / T\nL = logsumexp(s) - y.T @ s",
        lambda q, K, y, T: F.cross_entropy((K @ q / T)[None], y[None]),
        {"q": "K.T @ (softmax(s) - y) / T", "K": "outer(softmax(s) - y, q)/T"},
    ),
    Formula(
        "InfoNCE of a batch",
        "A: mat(N, D); B: mat(N, D); T: positive\nS = A @ B.T / T\nP = softmax(S)\nL = (sum(logsumexp(S)) - tr(S))/N",
        lambda A, B, T: F.cross_entropy(A @ B.T / T, torch.arange(len(A))),
        {"A": "(P - eye(N)) @ B / (N*T)", "B": "(P - eye(N)).T @ A / (N*T)"},
    ),
    Formula(
        "layer norm",
        "x: vec(D); g: vec(D); b: vec(D); u: vec(D); e: positive\nm = mean(x)\ns = sqrt(mean((x - m)^2) + e)\n"
        "h = (x - m)/s\ny = g*h + b\nL = sum(u*y)",
        _layer_norm,
        {"x": "(u*g - mean(u*g*h)*h - mean(u*g))/s", "g": "u*h", "b": "u"},
    ),
    Formula(
        "batch norm",
        "X: mat(N, D); g: vec(D); b: vec(D); U: mat(N, D); e: positive\nm[j] = mean[i](X[i,j])\n"
        "s[j] = sqrt(mean[i]((X[i,j] - m[j])^2) + e)\nH[i,j] = (X[i,j] - m[j])/s[j]\n"
        "L = sum[i,j](U[i,j]*(g[j]*H[i,j] + b[j]))",
        _batch_norm,
        {
            "X": "(U - H @ diag(colsum(U*H)) / N - colsum(U)/N) @ diag(g/s)",
            "g": "colsum(U*H)",
            "b": "colsum(U)",
        },
    ),
    Formula(
        "attention of one head",
        "Q: mat(N, D); K: mat(M, D); V: mat(M, E); G: mat(N, E)\n"
        "A = softmax(Q @ K.T / sqrt(D))\nO = A @ V\nL = sum(G*O)",
        _attention,
        {
            "Q": "(A*(G @ V.T) - diag(rowsum(A*(G @ V.T))) @ A) @ K / sqrt(D)",
            "K": "(A*(G @ V.T) - diag(rowsum(A*(G @ V.T))) @ A).T @ Q / sqrt(D)",
            "V": "A.T @ G",
        },
    ),
    Formula(
        "GeM pooling",
        "x: vec(M) positive; p: positive\ny = mean(x^p)^(1/p)",
        lambda x, p: x.pow(p).mean().pow(1 / p),
        {"x": "y^(1 - p)*x^(p - 1)/M", "p": "(y^(1 - p)*mean(x^p*log(x)) - y*log(mean(x^p))/p)/p"},
    ),
    Formula(
        "L_p pooling",
        "x: vec(M); p: positive\ny = sum(abs(x)^p)^(1/p)",
        lambda x, p: x.abs().pow(p).sum().pow(1 / p),
        {"x": "y^(1 - p)*sign(x)*abs(x)^(p - 1)"},
    ),
    Formula(
        "convolution",
        "x: mat(5, 6); k: mat(3, 2); G: mat(3, 5)\nL = sum(G*conv2d(x, k))",
        lambda x, k, G: (G * F.conv2d(x[None, None], k[None, None])[0, 0]).sum(),
        {"x": "conv2d_transpose(G, k)", "k": "conv2d(x, G)", "G": "conv2d(x, k)"},
    ),
    Formula(
        "Huber regression",
        LINEAR_HEAD + "t: positive\nL = sum(huber(X @ w - y, t))",
        lambda X, w, y, t: F.huber_loss(X @ w, y, reduction="sum", delta=float(t.detach())),
        {"w": "X.T @ clip(X @ w - y, -t, t)"},
    ),
    Formula(
        "hinge loss",
        LINEAR_HEAD + "L = sum(relu(1 - y*(X @ w)))",
        lambda X, w, y: torch.relu(1 - y * (X @ w)).sum(),
        {"w": "-X.T @ (y*step(1 - y*(X @ w)))"},
    ),
    Formula(
        "mixture log-likelihood",
        "X: mat(N, D); c: simplex(K); m: mat(K, D); s: positive\na[n,k] = log(c[k]) - norm(X[n,:] - m[k,:])^2/(2*s)\n"
        "R = softmax(a)\nL = sum(logsumexp(a))",
        _mixture,
        {
            "m[i,:]": "sum[j](R[j,i]*(X[j,:] - m[i,:]))/s",
            "c": "colsum(R)/c",
            "s": "sum[i, j](R[j,i]*norm(X[j,:] - m[i,:])^2)/(2*s^2)",
        },
    ),
    Formula(
        "exercise 3",
        "x: scalar; y: scalar\na = x^2 + sigmoid(y)\nb = 3*x + y - sigmoid(x)\nf = a/b",
        lambda x, y: (x**2 + torch.sigmoid(y)) / (3 * x + y - torch.sigmoid(x)),
        {
            "x": "2*x/b - a*(3 - sigmoid(x)*(1 - sigmoid(x)))/b^2",
            "y": "sigmoid(y)*(1 - sigmoid(y))/b - a/b^2",
        },
    ),
)


@cache
def derived(name):
    """Return a formula's derivation, made once in a process, and the processor time that it took."""
    formula = next(formula for formula in FORMULAS if formula.name == name)
    begun = time.process_time()
    derivation = derive(formula.text, [label.partition("[")[0] for label in formula.gradients])
    return derivation, time.process_time() - begun
