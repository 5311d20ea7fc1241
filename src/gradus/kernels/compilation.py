"""The one decorator of all Numba kernels: compiled once, kept on disk, and the same machine code ever after."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import llvmlite.binding as llvm
import numba
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder

if TYPE_CHECKING:
    from numba.core.compiler_machinery import PassManager


REPLACEABLE = {llvm.Linkage.linkonce_odr, llvm.Linkage.weak_odr}


class _OwnCopies(JITCodeLibrary):  # Numba has no hook of its own for this
    """The machine code of one kernel, calling its own copies of the functions that it uses.

    Numba leaves those copies replaceable: the first that a process happens to load serves every kernel. But each is
    optimised in its surroundings, and where sums may be reassociated two copies round differently, so that a result
    would depend on what was compiled, or loaded, before.
    """

    def _optimize_final_module(self) -> None:
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage in REPLACEABLE:
                function.linkage = llvm.Linkage.internal
        super()._optimize_final_module()


class KernelCompiler(CompilerBase):
    """Numba's pipeline without Python objects, into a library that depends on no other."""

    def define_pipelines(self) -> list[PassManager]:
        """Return the passes; called by Numba once per compilation."""
        library = _OwnCopies(self.state.targetctx.codegen(), self.state.func_id.func_qualname)
        library.enable_object_caching()
        self.state.library = library
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]


# the numpy error model, because a test for a zero divisor would keep a loop from being vectorised
compiled = partial(numba.njit, cache=True, nogil=True, error_model="numpy", pipeline_class=KernelCompiler)
# for functions that only compiled ones call: what Python would call them through takes as long to compile as they do
called_by_compiled = partial(
    numba.njit, nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)
