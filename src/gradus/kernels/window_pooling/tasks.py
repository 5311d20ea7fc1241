"""One call of a loop: the addresses of its lines, handed to as many threads as it keeps busy."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import torch

from gradus.kernels.large_pages import clear
from gradus.kernels.threads import each_part
from gradus.kernels.window_pooling import entries
from gradus.kernels.window_pooling.drivers import flags_of
from gradus.kernels.window_pooling.turning import MANY_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gradus.kernels.window_pooling.call import Call
    from gradus.kernels.window_pooling.frames import Frame
    from gradus.kernels.window_pooling.variant import Variant

_PLACES, _SETTINGS = ctypes.c_int64 * entries.SIZE, ctypes.c_double * entries.SETTINGS


class Task:
    """The lines of a call: ``line`` adds one, ``written`` one that is written to; ``run`` does the work.

    ``learn``: whether weights get gradients.
    """

    def __init__(self, frame: Frame, variant: Variant, call: Call, *, learn: bool = False) -> None:
        self._frame = frame
        self._places = list(frame.places)
        self._places[entries.FLAGS] = flags_of(variant, learn=learn)
        self._settings = (*(*call.settings, 0.0, 0.0)[:2], variant.padding)
        self._kept: list[Tensor] = []
        self._past_the_cache: list[tuple[int, int]] = []
        if call.weights is not None:
            self._weights(call.weights.detach().to(frame.dtype).reshape(-1))
        for number, tensor in ((entries.OTHER, call.other), (entries.EXTRA, call.extra)):
            if tensor is not None:
                self.line(number, frame.laid_out(tensor))

    def _weights(self, given: Tensor) -> None:
        # one for each tap
        self.line(entries.WEIGHTS, (given.expand(self._frame.taps) if len(given) == 1 else given).contiguous())

    def line(self, number: int, tensor: Tensor | None) -> None:
        """Name the memory of a line; it is empty where there is no tensor."""
        if tensor is not None:
            self._kept.append(tensor)
            self._places[2 * number : 2 * number + 2] = tensor.data_ptr(), tensor.numel()

    def written(self, number: int, tensor: Tensor | None) -> None:
        """Name the memory of a line that is written to."""
        self.line(number, tensor)
        if tensor is not None and self._frame.kind == "tiles":
            size = tensor.numel() * tensor.element_size()
            if size >= MANY_BYTES:
                shape = self._frame.shape
                self._past_the_cache.append((tensor.data_ptr(), size // (shape[0] * shape[1])))

    def run(self, enter: Callable[[int, int, int, int], None], function: tuple[int, int]) -> None:
        """Share the units of work among as many threads as they keep busy; ``function``: of the variant."""
        self._places[entries.FUNCTION : entries.FUNCTION + 2] = function
        places, settings = _PLACES(*self._places), _SETTINGS(*self._settings)
        where = ctypes.addressof(places), ctypes.addressof(settings)
        parts = self._frame.parts(torch.get_num_threads())

        def work(part: tuple[int, int]) -> None:
            for begin, plane in self._past_the_cache:
                clear(begin + part[0] * plane, begin + part[1] * plane)
            enter(*where, *part)

        each_part(parts, work, 4 * self._frame.shape.numel())
