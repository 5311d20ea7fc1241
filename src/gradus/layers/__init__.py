"""Layers whose gradients are closed forms: torch modules and functions. Names load on first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradus.kernels.window_pooling import Bins, Same, Windows
    from gradus.layers.adaptive_pooling import (
        AdaptiveAvgPool1d,
        AdaptiveAvgPool2d,
        AdaptiveAvgPool3d,
        AdaptiveMaxPool1d,
        AdaptiveMaxPool2d,
        AdaptiveMaxPool3d,
        GlobalAvgPool1d,
        GlobalAvgPool2d,
        GlobalAvgPool3d,
        GlobalMaxPool1d,
        GlobalMaxPool2d,
        GlobalMaxPool3d,
        SpatialPyramidPool1d,
        SpatialPyramidPool2d,
        SpatialPyramidPool3d,
        adaptive_average_pool,
        adaptive_max_pool,
    )
    from gradus.layers.average_pooling import (
        AvgPool1d,
        AvgPool2d,
        AvgPool3d,
        SumPool1d,
        SumPool2d,
        SumPool3d,
        average_pool,
        avg_pool2d,
        sum_pool,
    )
    from gradus.layers.convolution import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
    from gradus.layers.convolution_layers import (
        Conv1d,
        Conv2d,
        Conv3d,
        ConvTranspose1d,
        ConvTranspose2d,
        ConvTranspose3d,
    )
    from gradus.layers.fractional_pooling import (
        FractionalMaxPool2d,
        FractionalMaxPool3d,
        fractional_max_pool2d,
        fractional_max_pool3d,
    )
    from gradus.layers.gated_pooling import GatedPool1d, GatedPool2d, GatedPool3d, gated_pool
    from gradus.layers.gem_pooling import GeMPool1d, GeMPool2d, GeMPool3d, gem_pool
    from gradus.layers.geometry import windows
    from gradus.layers.lip_pooling import LIPPool1d, LIPPool2d, LIPPool3d, lip_pool
    from gradus.layers.log_sum_exp_pooling import LogSumExpPool1d, LogSumExpPool2d, LogSumExpPool3d, log_sum_exp_pool
    from gradus.layers.lp_pooling import LpPool1d, LpPool2d, LpPool3d, lp_pool, lp_pool2d
    from gradus.layers.max_pooling import (
        MaxPool1d,
        MaxPool2d,
        MaxPool3d,
        MinPool1d,
        MinPool2d,
        MinPool3d,
        max_pool,
        max_pool2d,
        min_pool,
    )
    from gradus.layers.mixed_pooling import MixedPool1d, MixedPool2d, MixedPool3d, mixed_pool
    from gradus.layers.rank_pooling import (
        MedianPool1d,
        MedianPool2d,
        MedianPool3d,
        RankPool1d,
        RankPool2d,
        RankPool3d,
        rank_pool,
    )
    from gradus.layers.s3_pooling import S3Pool1d, S3Pool2d, S3Pool3d, s3_pool1d, s3_pool2d, s3_pool3d
    from gradus.layers.soft_pooling import SoftPool1d, SoftPool2d, SoftPool3d, soft_pool
    from gradus.layers.stochastic_pooling import (
        StochasticPool1d,
        StochasticPool2d,
        StochasticPool3d,
        stochastic_mean_pool,
        stochastic_pool,
    )
    from gradus.layers.unpooling import MaxUnpool1d, MaxUnpool2d, MaxUnpool3d, max_unpool
    from gradus.layers.weighted_pooling import (
        BlurPool1d,
        BlurPool2d,
        BlurPool3d,
        MaxBlurPool1d,
        MaxBlurPool2d,
        MaxBlurPool3d,
        weighted_pool,
    )

_NAMES = {
    "gradus.layers.convolution": "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d",
    "gradus.layers.convolution_layers": "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d",
    "gradus.kernels.window_pooling": "Bins Same Windows",
    "gradus.layers.geometry": "windows",
    "gradus.layers.adaptive_pooling": (
        "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d "
        "AdaptiveMaxPool3d GlobalAvgPool1d GlobalAvgPool2d GlobalAvgPool3d GlobalMaxPool1d GlobalMaxPool2d "
        "GlobalMaxPool3d SpatialPyramidPool1d SpatialPyramidPool2d SpatialPyramidPool3d adaptive_average_pool "
        "adaptive_max_pool"
    ),
    "gradus.layers.average_pooling": (
        "AvgPool1d AvgPool2d AvgPool3d SumPool1d SumPool2d SumPool3d average_pool avg_pool2d sum_pool"
    ),
    "gradus.layers.fractional_pooling": (
        "FractionalMaxPool2d FractionalMaxPool3d fractional_max_pool2d fractional_max_pool3d"
    ),
    "gradus.layers.gated_pooling": "GatedPool1d GatedPool2d GatedPool3d gated_pool",
    "gradus.layers.gem_pooling": "GeMPool1d GeMPool2d GeMPool3d gem_pool",
    "gradus.layers.lip_pooling": "LIPPool1d LIPPool2d LIPPool3d lip_pool",
    "gradus.layers.log_sum_exp_pooling": "LogSumExpPool1d LogSumExpPool2d LogSumExpPool3d log_sum_exp_pool",
    "gradus.layers.lp_pooling": "LpPool1d LpPool2d LpPool3d lp_pool lp_pool2d",
    "gradus.layers.max_pooling": (
        "MaxPool1d MaxPool2d MaxPool3d MinPool1d MinPool2d MinPool3d max_pool max_pool2d min_pool"
    ),
    "gradus.layers.mixed_pooling": "MixedPool1d MixedPool2d MixedPool3d mixed_pool",
    "gradus.layers.rank_pooling": "MedianPool1d MedianPool2d MedianPool3d RankPool1d RankPool2d RankPool3d rank_pool",
    "gradus.layers.s3_pooling": "S3Pool1d S3Pool2d S3Pool3d s3_pool1d s3_pool2d s3_pool3d",
    "gradus.layers.soft_pooling": "SoftPool1d SoftPool2d SoftPool3d soft_pool",
    "gradus.layers.stochastic_pooling": (
        "StochasticPool1d StochasticPool2d StochasticPool3d stochastic_mean_pool stochastic_pool"
    ),
    "gradus.layers.unpooling": "MaxUnpool1d MaxUnpool2d MaxUnpool3d max_unpool",
    "gradus.layers.weighted_pooling": (
        "BlurPool1d BlurPool2d BlurPool3d MaxBlurPool1d MaxBlurPool2d MaxBlurPool3d weighted_pool"
    ),
}
_HOME = {name: home for home, names in _NAMES.items() for name in names.split()}

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "Bins",
    "BlurPool1d",
    "BlurPool2d",
    "BlurPool3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
    "GatedPool1d",
    "GatedPool2d",
    "GatedPool3d",
    "GeMPool1d",
    "GeMPool2d",
    "GeMPool3d",
    "GlobalAvgPool1d",
    "GlobalAvgPool2d",
    "GlobalAvgPool3d",
    "GlobalMaxPool1d",
    "GlobalMaxPool2d",
    "GlobalMaxPool3d",
    "LIPPool1d",
    "LIPPool2d",
    "LIPPool3d",
    "LogSumExpPool1d",
    "LogSumExpPool2d",
    "LogSumExpPool3d",
    "LpPool1d",
    "LpPool2d",
    "LpPool3d",
    "MaxBlurPool1d",
    "MaxBlurPool2d",
    "MaxBlurPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
    "MedianPool1d",
    "MedianPool2d",
    "MedianPool3d",
    "MinPool1d",
    "MinPool2d",
    "MinPool3d",
    "MixedPool1d",
    "MixedPool2d",
    "MixedPool3d",
    "RankPool1d",
    "RankPool2d",
    "RankPool3d",
    "S3Pool1d",
    "S3Pool2d",
    "S3Pool3d",
    "Same",
    "SoftPool1d",
    "SoftPool2d",
    "SoftPool3d",
    "SpatialPyramidPool1d",
    "SpatialPyramidPool2d",
    "SpatialPyramidPool3d",
    "StochasticPool1d",
    "StochasticPool2d",
    "StochasticPool3d",
    "SumPool1d",
    "SumPool2d",
    "SumPool3d",
    "Windows",
    "adaptive_average_pool",
    "adaptive_max_pool",
    "average_pool",
    "avg_pool2d",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "fractional_max_pool2d",
    "fractional_max_pool3d",
    "gated_pool",
    "gem_pool",
    "lip_pool",
    "log_sum_exp_pool",
    "lp_pool",
    "lp_pool2d",
    "max_pool",
    "max_pool2d",
    "max_unpool",
    "min_pool",
    "mixed_pool",
    "rank_pool",
    "s3_pool1d",
    "s3_pool2d",
    "s3_pool3d",
    "soft_pool",
    "stochastic_mean_pool",
    "stochastic_pool",
    "sum_pool",
    "weighted_pool",
    "windows",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'gradus.layers' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
