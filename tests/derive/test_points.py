"""Points lie in the declared domains, differ from seed to seed, and have sizes that show a transpose."""

import numpy as np
import pytest

from gradus.derive import draw_point, read_program
from gradus.derive.declarations import DOMAINS
from gradus.derive.values import point_from

TYPES = {
    "positive": "vec(D) positive",
    "nonnegative": "mat(N, D) nonnegative",
    "simplex": "mat(N, D) simplex",
    "joint": "mat(D, D) joint symmetric hollow",
    "symmetric": "symmetric(D)",
    "spd": "spd(D)",
    "orthogonal": "orthogonal(D)",
    "hollow": "mat(D, D) hollow",
    "integer": "vec(D) integer",
}


def test_every_domain_is_drawn():
    assert set(TYPES) == set(DOMAINS)


@pytest.mark.parametrize("domain", TYPES)
def test_a_point_lies_in_its_domain(domain):
    program = read_program(f"x: {TYPES[domain]}; f = sum(x)")
    seen = set()
    for seed in range(10):
        drawn = draw_point(program, np.random.default_rng(seed))
        point_from(program, drawn.values)  # checks the domains
        seen.add(drawn.values["x"].tobytes())
    assert len(seen) == 10


def test_sizes_differ():
    drawn = draw_point(read_program("X: mat(N, D); y: vec(K); f = sum(X)*sum(y)"), np.random.default_rng(0))
    assert len(set(drawn.sizes.values())) == 3
