"""The entry point: parse, run one command, turn every failure into a sentence and an exit code."""

from __future__ import annotations

import os
import sys
import warnings
from typing import TYPE_CHECKING

from cyclopts import App, CycloptsError, Parameter

from gradus import __version__
from gradus.cli.terminal import say
from gradus.core.errors import GradusError

if TYPE_CHECKING:
    from collections.abc import Sequence

FINE, CHECK_FAILED, WRONG_INPUT, INTERNAL_ERROR, INTERRUPTED = 0, 1, 2, 70, 130

app = App(
    name="gradus",
    version=__version__,
    help=(
        "Machine learning on closed-form gradients: from data to a classifier, an honest top-k error, "
        "a map and a report.\n\n"
        "Start with `gradus run digits`, then `gradus run YOUR_DATA`: a folder with one sub-folder of images per "
        "class, or a .npz, .npy, .csv or .parquet file."
    ),
    help_format="plaintext",
    result_action="return_value",
    default_parameter=Parameter(negative=""),
)
for _name, _help in (
    ("run", "Fit, evaluate, map and report, in a run directory."),
    ("fit", "Fit the classifier only."),
    ("evaluate", "State the errors of a fitted run on its held-out rows."),
    ("predict", "Predict the classes of new rows with a fitted run."),
    ("map", "Draw a t-SNE map of a run, or of any data."),
    ("report", "Write the HTML report of a run."),
    (
        "derive",
        "Derive the closed-form gradient of a formula, step by step.\n\n"
        "Where all names are numbers, nothing is declared:\n\n"
        '    gradus derive "f = (x^2 + sigmoid(y)) / (3*x + y - sigmoid(x))" --at x=1,y=0\n\n'
        "Vectors and matrices are declared first, with names for their sizes:\n\n"
        '    gradus derive "x: vec(D); W: mat(K,D); y: simplex(K); p = softmax(W @ x); L = -sum(y*log(p))" --wrt W\n\n'
        "`*`, `/` and `^` work entry by entry, `@` is the matrix product, `.T` the transpose, sum[i!=j](A[i,j]) a sum "
        "over indices. docs/derive.md has the whole language.",
    ),
    ("check", "Check the gradient of a function, at its inputs and at the edges around them."),
    ("doctor", "Show versions, devices, threads and the kernels in use."),
):
    app.command(f"gradus.cli.{_name}:command", name=_name, help=_help)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line ``arguments`` (default: those of the process) and return the exit code.

    0 fine, 1 it ran and the check failed, 2 the input or the usage is wrong, 70 a fault of gradus, 130 interrupted.
    """
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    warnings.showwarning = _show_warning
    # Threads that wait for others sleep instead of spinning: on a busy machine that is many times faster, on an idle
    # one no slower. OpenMP reads it when it is loaded, which is later than here.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        code = app(tokens, exit_on_error=False, print_error=False)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on; that is their choice
        return FINE
    except KeyboardInterrupt:
        say("gradus: interrupted; the same command goes on where it stopped")
        return INTERRUPTED
    except Exception as error:
        if "--debug" in tokens:
            raise
        sentence, code = explain(error)
        say(f"gradus: {sentence}")
        return code
    return code if isinstance(code, int) else FINE


def explain(error: Exception) -> tuple[str, int]:
    """Return the sentence and the exit code that a person gets for ``error``."""
    if isinstance(error, GradusError):
        return str(error), WRONG_INPUT
    if isinstance(error, CycloptsError):
        return f"{_one_line(error)} See `gradus --help` or `gradus COMMAND --help`.", WRONG_INPUT
    if isinstance(error, MemoryError):
        return "the data does not fit into memory: use fewer rows with --sample", WRONG_INPUT
    if isinstance(error, OSError) and error.errno is not None:
        return f"{error.filename or 'a file'}: {error.strerror}: free what is missing and try again", WRONG_INPUT
    return (
        f"this is a fault of gradus ({type(error).__name__}: {_one_line(error)}): "
        "run the command again with --debug and report what it prints"
    ), INTERNAL_ERROR


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    say(f"gradus: warning: {' '.join(str(message).split())}")
