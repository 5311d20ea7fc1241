"""A run: its directory, settings and data, opened once and handed from step to step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from gradus.core.errors import InputError
from gradus.core.files import written_whole
from gradus.data import Dataset, ReadOptions, Split, fingerprint, read, split_rows
from gradus.runs import environment
from gradus.runs.config import RunConfig, differences, parse_size
from gradus.runs.config_file import from_toml, to_toml
from gradus.runs.directory import BASELINE, CONFIG, MODEL, RunDirectory, is_run
from gradus.runs.model import LinearClassifier, load

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradus.runs.network import NetworkClassifier


# pixels a side below which a network is no default: a linear classifier of so few pixels is fitted in an instant
LEAST_SIDE = 16


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes
    ----------
    directory : where its files are
    config : every setting
    dataset : the rows it began with
    """

    directory: RunDirectory
    config: RunConfig
    dataset: Dataset

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The label of every row, (n,)."""
        if self.dataset.labels is None:
            raise InputError(f"{self.config.source} has no labels, but a classifier needs them: say where with --label")
        return self.dataset.labels

    @cached_property
    def split(self) -> Split:
        """The rows to learn from and the rows held out."""
        return split_rows(self.dataset, self.config.data.test_fraction, self.config.seed)

    @cached_property
    def model(self) -> LinearClassifier | NetworkClassifier:
        """The classifier that the fit left in the directory."""
        return load(self.directory / MODEL)

    @cached_property
    def baseline(self) -> LinearClassifier | NetworkClassifier | None:
        """The classifier that the fit left beside it to be compared with; None where there is none."""
        path = self.directory / BASELINE
        return load(path) if path.is_file() else None

    @property
    def kind(self) -> Literal["softmax", "convnet", "both"]:
        """Which classifiers are fitted: as asked for, or a network where the rows are images of some size.

        Raises
        ------
        InputError : if a network was asked for and the rows are no images
        """
        asked, images = self.config.fit.model, self.dataset.images
        if asked == "auto":
            return "softmax" if images is None or min(images.shape[1:3]) < LEAST_SIDE else "convnet"
        if asked != "softmax" and images is None:
            raise InputError(
                f"--model is {asked}, but the rows of {self.dataset.name} are no images: give --model softmax or images"
            )
        return asked


def read_options(config: RunConfig, *, labelled: bool) -> ReadOptions:
    """Return the reader's options for the settings of a run."""
    data = config.data
    return ReadOptions(
        label=data.label,
        labels=Path(data.labels) if data.labels else None,
        ids=data.ids,
        color=config.map.color,
        size=parse_size(data.size),
        skip_bad=data.skip_bad,
        sample=data.sample,
        test=Path(data.test) if data.test else None,
        labelled=labelled,
        seed=config.seed,
    )


def check_settings(directory: RunDirectory, config: RunConfig) -> None:
    """Check that the run in ``directory`` began with these settings.

    Raises
    ------
    InputError : naming the settings that differ
    """
    changed = differences(read_config(directory), config)
    if changed:
        raise InputError(
            f"{directory.path} holds a run with other settings ({'; '.join(changed)}): "
            "use another --out, or --overwrite to start again there"
        )


def read_config(directory: RunDirectory) -> RunConfig:
    """Return the settings of the run in ``directory``.

    Raises
    ------
    InputError : if there is no run, or its settings cannot be read
    """
    path = directory / CONFIG
    if not is_run(directory.path):
        raise InputError(f"{directory.path} holds no run (no {CONFIG}): start one with `gradus run DATA --out DIR`")
    return from_toml(path.read_text(encoding="utf-8"), path)


def begin(directory: RunDirectory, config: RunConfig, *, labelled: bool = True) -> Run:
    """Start a run in ``directory``; one that is there already is deleted.

    The data is read, and so checked, before the first file is written.

    Raises
    ------
    InputError : if the directory holds other people's files, or the data cannot be read
    """
    directory.check()
    dataset = read(config.source, read_options(config, labelled=labelled))
    _check_feasible(config, dataset)
    with directory.locked():
        directory.discard_all()
        environment.update(directory, data=fingerprint(dataset))
        with written_whole(directory / CONFIG) as unfinished:
            unfinished.write_text(to_toml(config), encoding="utf-8")
    return Run(directory, config, dataset)


def _check_feasible(config: RunConfig, dataset: Dataset) -> None:
    """Refuse now, and not in the middle of the run, what these rows do not allow."""
    if config.map.neighbours_for(len(dataset)) is None:
        config.map.perplexity_for(len(dataset))
    linear = Run(RunDirectory(Path()), config, dataset).kind != "convnet"
    if dataset.labels is None or config.fit.alpha != "auto" or not linear:
        return
    train = split_rows(dataset, config.data.test_fraction, config.seed).train
    if np.bincount(dataset.labels[train]).max() < 2:
        raise InputError(
            f"{dataset.name} leaves one training row per class, too few to choose alpha on validation rows: "
            "give more rows, or a number to --alpha"
        )


def resume(directory: RunDirectory, *, labelled: bool = True) -> Run:
    """Open the run that is in ``directory``, with the settings that it began with.

    Raises
    ------
    InputError : if there is none, or the data has changed since it began
    """
    config = read_config(directory)
    dataset = read(config.source, read_options(config, labelled=labelled))
    if environment.read(directory).get("data") != fingerprint(dataset):
        raise InputError(
            f"{config.source} is not what it was when the run in {directory.path} began: "
            "bring the old data back, use a new --out, or start again with --overwrite"
        )
    return Run(directory, config, dataset)
