"""How many axes a tree has, which decides between the signs of its products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.derive.functions import ELEMENTWISE
from gradus.derive.tree import Binary, Call, Name, Negate, Reduce, Subscript, Transpose

if TYPE_CHECKING:
    from gradus.derive.program import Program
    from gradus.derive.tree import Tree

_OF_CALLS = {
    **dict.fromkeys(("sum", "mean", "norm", "tr", "det", "logdet"), 0),
    **dict.fromkeys(("rowsum", "colsum", "cumsum"), 1),
    **dict.fromkeys(("inv", "outer", "eye", "tri", "conv2d", "conv2d_transpose"), 2),
}


def rank(tree: Tree, program: Program) -> int:
    """Return the number of axes of a tree that was type-checked."""
    match tree:
        case Name(name=name):
            known = name in program.variables or name in program.definitions
            return len(program.shape(name)) if known else 0
        case Negate(operand=operand) | Transpose(operand=operand):
            return rank(operand, program)
        case Subscript(positions=positions):
            return sum(position is None for position in positions)
        case Reduce(body=body):
            return rank(body, program)
        case Binary(operator="@", left=left, right=right):
            ranks = (rank(left, program), rank(right, program))
            if ranks == (1, 1):
                return 2 if isinstance(right, Transpose) else 0
            return min(ranks)
        case Binary(left=left, right=right):
            return max(rank(left, program), rank(right, program))
        case Call():
            return _rank_of_call(tree, program)
    return 0


def _rank_of_call(tree: Call, program: Program) -> int:
    name, arguments = tree.function, tree.arguments
    if name in _OF_CALLS:
        return _OF_CALLS[name]
    if name == "ones":
        return len(arguments)
    ranks = [rank(argument, program) for argument in arguments]
    if name == "diag":
        return 3 - ranks[0]
    if name in ELEMENTWISE or len(arguments) == 2:
        return max(ranks)
    return max(ranks[0] - 1, 0) if name in {"logsumexp", "max"} else ranks[0]
