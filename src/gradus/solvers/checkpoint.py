"""A fit that outlives its process: the solver's state in a file, from which the same fit goes on to the same end."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from gradus.core.errors import InputError
from gradus.core.files import written_whole
from gradus.core.protocols import Solver, State
from gradus.solvers.state_tree import from_tree, to_tree

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from gradus.core.solution import Problem

SECONDS = 30.0
PROCESSOR = torch.device("cpu")
_FORMAT = "gradus solver state 1"


class Checkpoint:
    """The file at ``path``, which holds a state of the fit that ``problem`` stands for, or none yet.

    The file is written whole or not at all, at most every ``SECONDS``; it holds numbers and names of gradus' own
    classes, no code.

    Parameters
    ----------
    path : where; its folder must be there
    problem : a text that two fits share only if they are the same
    device : where the state's tensors are wanted

    Raises
    ------
    InputError : if the file is there and holds something else, or a state of another fit
    """

    def __init__(self, path: Path, problem: str, device: torch.device = PROCESSOR) -> None:
        self._path, self._problem = path, problem
        self._written = time.monotonic()
        self.state: Any = None
        self.iterations = 0
        if path.exists():
            self.state, self.iterations = _read(path, problem, device)
        self.before = self.iterations

    def keep(self, state: Any) -> None:
        """Count an iteration, and write the state after it if the last writing is a while ago."""
        self.iterations += 1
        if time.monotonic() - self._written < SECONDS:
            return
        tensors: dict[str, Tensor] = {}
        tree = to_tree(state, tensors)
        about = {"format": _FORMAT, "problem": self._problem, "iterations": self.iterations, "state": tree}
        with written_whole(self._path) as unfinished:
            save_file(tensors, unfinished, metadata={"gradus": json.dumps(about)})
        self._written = time.monotonic()

    def discard(self) -> None:
        """Delete the file: the fit is done."""
        self._path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Checkpointed(Generic[State]):
    """A solver whose states are kept in a file, and which starts from the one that is there."""

    solver: Solver[State]
    checkpoint: Checkpoint

    def start(self, problem: Problem, point: Tensor) -> State:
        """Return the state that was kept, else the solver's own at ``point``."""
        state: State | None = self.checkpoint.state
        return self.solver.start(problem, point) if state is None else state

    def advance(self, problem: Problem, state: State) -> State:
        """Return the solver's next state, kept if it is time."""
        following = self.solver.advance(problem, state)
        self.checkpoint.keep(following)
        return following


def _read(path: Path, problem: str, device: torch.device) -> tuple[Any, int]:
    try:
        with safe_open(path, framework="pt") as stream:
            about: dict[str, Any] = json.loads((stream.metadata() or {})["gradus"])
            # copied to where numbers begin with a cache line: what BLAS rounds to depends on where they lie
            tensors = {name: stream.get_tensor(name).clone().to(device) for name in stream.keys()}  # noqa: SIM118 (a stream)
        same = about["format"] == _FORMAT and about["problem"] == problem
        kept = (from_tree(about["state"], tensors), int(about["iterations"])) if same else None
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise InputError(
            f"checkpoint {path} is not a file that a fit wrote ({error}): delete it or name another"
        ) from error
    if kept is None:
        raise InputError(
            f"checkpoint {path} belongs to a fit of other data or settings: delete it to begin anew, or name another"
        )
    return kept
