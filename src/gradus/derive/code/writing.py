"""A function that computes a formula and its derivatives, as source text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.derive.closed_form import written
from gradus.derive.code.emitting import Emitter
from gradus.derive.code.libraries import NUMPY, TORCH
from gradus.derive.code.pieces import safe_name
from gradus.derive.naming import dependencies
from gradus.derive.text import declaration_text, to_text
from gradus.derive.tree import names as names_in

if TYPE_CHECKING:
    from gradus.derive.code.libraries import Library
    from gradus.derive.derivation import Derivation
    from gradus.derive.derivative import Derivative
    from gradus.derive.program import Definition, Program

__all__ = ["NUMPY", "TORCH", "source"]


def source(derivation: Derivation, library: Library) -> str:
    """Return the import, the helpers that are needed, and one function.

    It returns the value of the target and then the derivatives, in the order in which they were asked for.
    """
    found = derivation.differentiated
    program = found.prepared.program
    emitter = Emitter(program, library)
    body = [_assignment(derivation, emitter, d) for d in _needed(derivation)]
    results = [safe_name(derivation.target)]
    for derivative in derivation.derivatives:
        name = _result_name(derivative)
        shape = tuple(axis.size for axis in derivative.axes)
        body.append(f"{name} = {emitter.array(derivative.form.tree, derivative.form.positions, shape)}")
        results.append(name)
    wanted = _variables(derivation) | _holders(program, emitter)
    parameters = [name for name in program.variables if name in wanted]
    lines = [*_sizes(program, parameters, emitter), *_quiet(body, library), f"return {', '.join(results)}"]
    if library is TORCH and any("dtype" in line or "device" in line for line in lines):
        first = safe_name(parameters[0])
        lines.insert(0, f"dtype, device = {first}.dtype, {first}.device")
    header = ["import math", library.header] if {"pi", "erf"} & set(emitter.used) else [library.header]
    if library is TORCH and "math." not in "\n".join(lines):
        header = [library.header]
    helpers = [library.helpers[name] for name in emitter.used if name in library.helpers]
    signature = f"def {_function_name(derivation)}({', '.join(map(safe_name, parameters))}):"
    indented = [f"    {line}" for line in (*_docstring(derivation, parameters, library), *lines)]
    function = "\n".join(line.rstrip() for line in [signature, *indented])
    return "\n\n\n".join(["\n".join(header), *helpers, function]) + "\n"


def _quiet(body: list[str], library: Library) -> list[str]:
    """Silence what is computed at places that a condition leaves out afterwards."""
    if library is not NUMPY or not any("np.where(" in line for line in body):
        return body
    return ['with np.errstate(divide="ignore", invalid="ignore"):', *(f"    {line}" for line in body)]


def _function_name(derivation: Derivation) -> str:
    kind = derivation.derivatives[0].order.value
    return f"{safe_name(derivation.target)}_and_{'hessian_product' if kind == 'hvp' else kind}"


def _result_name(derivative: Derivative) -> str:
    second = derivative.order.value in {"hessian", "hvp"}
    name = (
        f"d2{derivative.target}_d{derivative.variable}2" if second else f"d{derivative.target}_d{derivative.variable}"
    )
    return safe_name(name)


def _variables(derivation: Derivation) -> set[str]:
    program = derivation.differentiated.prepared.program
    needed = dependencies(derivation.program, derivation.target)
    needed |= {name for d in _needed(derivation) for name in dependencies(program, d.name)}
    for derivative in derivation.derivatives:
        for name in names_in(derivative.form.tree):
            needed |= dependencies(program, name) if name in program.definitions else {name}
    return needed


def _needed(derivation: Derivation) -> list[Definition]:
    """Return the definitions that the target and the closed forms mention, in order."""
    program = derivation.differentiated.prepared.program
    needed = dependencies(program, derivation.target)
    for derivative in derivation.derivatives:
        for name in names_in(derivative.form.tree):
            needed |= dependencies(program, name)
    return [d for name, d in program.definitions.items() if name in needed and name not in _internal(derivation)]


def _internal(derivation: Derivation) -> set[str]:
    inner = derivation.differentiated.target
    return {inner} if inner != derivation.target else set()


def _assignment(derivation: Derivation, emitter: Emitter, definition: Definition) -> str:
    rewriter = derivation.differentiated.prepared.rewriter
    form = written(rewriter, definition.body, definition.axes)
    shape = tuple(axis.size for axis in definition.axes)
    return f"{safe_name(definition.name)} = {emitter.array(form.tree, form.positions, shape)}"


def _holders(program: Program, emitter: Emitter) -> set[str]:
    """Return a variable for each size that the code mentions."""
    return {next(name for name in program.variables if size in program.shape(name)) for size in emitter.sizes}


def _sizes(program: Program, parameters: list[str], emitter: Emitter) -> list[str]:
    lines = []
    for size in emitter.sizes:
        holder = next(name for name in parameters if size in program.shape(name))
        place = program.shape(holder).index(size)
        lines.append(f"{safe_name(size)} = {safe_name(holder)}.shape[{place}]")
    return lines


def _docstring(derivation: Derivation, parameters: list[str], library: Library) -> list[str]:
    program = derivation.differentiated.prepared.program
    target, first = derivation.target, derivation.derivatives[0]
    variables = ", ".join(derivative.variable for derivative in derivation.derivatives)
    lines = [f'"""Return {target} and its {_words(first)} in {variables}.', "", "Parameters", "----------"]
    for name in parameters:
        variable = program.variables[name]
        kind = declaration_text(variable).partition(": ")[2]
        if variable.shape:
            shape = ", ".join(map(str, variable.shape)) + ("," if len(variable.shape) == 1 else "")
            lines.append(f"{safe_name(name)} : {library.array}, shape ({shape}); {kind}")
        else:
            lines.append(
                f"{safe_name(name)} : {kind}" if library is NUMPY else f"{safe_name(name)} : {library.array}, {kind}"
            )
    lines += ["", "Returns", "-------", f"{safe_name(target)} : {_shape_words(program.shape(target))}"]
    for derivative in derivation.derivatives:
        shape_words = _shape_words(tuple(axis.size for axis in derivative.axes))
        lines.append(f"{_result_name(derivative)} : {shape_words}; {to_text(derivative.form.tree)}")
    if derivation.used:
        lines += ["", f"Used: {', '.join(derivation.used)}"]
    return [*lines, '"""']


def _words(derivative: Derivative) -> str:
    return {"hvp": "Hessian product", "jacobian": "Jacobian"}.get(derivative.order.value, derivative.order.value)


def _shape_words(shape: tuple[str | int, ...]) -> str:
    return f"shape ({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})" if shape else "scalar"
