"""A trained network as an ONNX file, which runs without Python."""

from __future__ import annotations

import importlib.util
import logging
import warnings
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import UnavailableError
from gradus.core.files import written_whole

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

# of the standard; 18 is what torch's exporter makes without converting
OPSET = 18
_NEEDED = ("onnx", "onnxscript")


def write_onnx(network: nn.Module, example: Tensor, path: Path) -> None:
    """Write a network as a graph from ``images`` to ``logits``, for any number of images.

    Parameters
    ----------
    network : in the state that is to be written
    example : (2 or more images, channels, height, width) float32
    path : of the file, written whole or not at all; weights are inside

    Raises
    ------
    UnavailableError : if the packages onnx and onnxscript are not installed
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UnavailableError(f"an ONNX file needs the package {missing[0]}: pip install {' '.join(_NEEDED)}")
    import onnx

    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # what the exporter says of its own parts is nothing that the user can act on
            warnings.simplefilter("ignore")
            made = torch.onnx.export(
                network.eval(),
                (example,),
                input_names=["images"],
                output_names=["logits"],
                dynamic_shapes=({0: torch.export.Dim("samples", min=1)},),
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
    finally:
        logger.setLevel(level)
    assert made is not None
    with written_whole(path) as unfinished:
        onnx.save_model(made.model_proto, unfinished)
