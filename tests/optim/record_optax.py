"""Writes ``optax_steps.json``: what optax does, step by step, from the points and gradients of ``trajectories``.

Needs optax, which the tests do not: ``python tests/optim/record_optax.py`` from a place where it is installed.
"""

import json
from pathlib import Path

import numpy as np

STEPS = 6


def gradients():
    random = np.random.default_rng(3)
    return [random.standard_normal((3, 4)).round(3).tolist() for _ in range(STEPS)]


def steps_of(optimizer, start):
    import jax.numpy as jnp
    import optax

    point = jnp.asarray(start)
    state, points = optimizer.init(point), []
    for gradient in gradients():
        updates, state = optimizer.update(jnp.asarray(gradient), state, point)
        point = optax.apply_updates(point, updates)
        points.append(np.asarray(point).tolist())
    return points


def main():
    import jax
    import optax

    jax.config.update("jax_enable_x64", True)
    start = np.linspace(-1, 1, 12).reshape(3, 4).tolist()
    optimizers = {
        "lion": optax.lion(0.1, b1=0.9, b2=0.99, weight_decay=0.01),
        "muon": optax.contrib.muon(0.1, beta=0.9, nesterov=True, weight_decay=0.01, eps=1e-12),
        "muon without nesterov": optax.contrib.muon(0.1, beta=0.9, nesterov=False, eps=1e-12),
        "adam": optax.adam(0.1, eps=1e-2),
        "adam, eps in the root": optax.adam(0.1, eps=0.0, eps_root=1e-4),
        "adamw": optax.adamw(0.1, weight_decay=0.1, eps=1e-8),
        "rmsprop": optax.rmsprop(0.1, decay=0.9, eps=1e-2),
        "rmsprop, eps outside": optax.rmsprop(0.1, decay=0.9, eps=1e-2, eps_in_sqrt=False),
        "adagrad": optax.adagrad(0.1),
        "adagrad from 0": optax.adagrad(0.1, initial_accumulator_value=0.0, eps=1e-10),
        "nesterov": optax.sgd(0.1, momentum=0.9, nesterov=True),
        "momentum": optax.sgd(0.1, momentum=0.9),
        "nadam": optax.nadam(0.1),
    }
    schedules = {
        "cosine": optax.cosine_decay_schedule(1.0, 10, alpha=0.1),
        "linear": optax.linear_schedule(1.0, 0.2, 10),
        "warmed up cosine": optax.warmup_cosine_decay_schedule(0.0, 1.0, 4, 14),
    }
    recorded = {
        "optax": optax.__version__,
        "start": start,
        "gradients": gradients(),
        "points": {name: steps_of(optimizer, start) for name, optimizer in optimizers.items()},
        "schedules": {name: [float(rule(step)) for step in range(16)] for name, rule in schedules.items()},
    }
    path = Path(__file__).with_name("optax_steps.json")
    path.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
