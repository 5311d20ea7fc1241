"""Settings survive TOML, name what differs, and refuse what is out of range."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.core.errors import InputError
from gradus.runs.config import DataConfig, EvaluateConfig, FitConfig, MapConfig, RunConfig, differences, parse_size
from gradus.runs.config_file import from_toml, to_toml

HERE = Path("config.toml")
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
configs = st.builds(
    RunConfig,
    source=texts,
    seed=st.integers(0, 2**32 - 1),
    data=st.builds(
        DataConfig, label=st.none() | texts, ids=st.none() | texts, sample=st.none() | st.integers(1, 10**9)
    ),
    fit=st.builds(FitConfig, alpha=st.just("auto") | st.floats(0, 1e9), l1_ratio=st.floats(0, 1)),
    map=st.builds(MapConfig, perplexity=st.just("auto") | st.floats(1.5, 1e4)),
)


@settings(deadline=None, max_examples=60)
@given(configs)
def test_every_configuration_survives_toml(config):
    text = to_toml(config)
    assert from_toml(text, HERE) == config
    assert tomllib.loads(text)["source"] == config.source


@pytest.mark.parametrize(
    ("change", "option"),
    [
        ({"seed": -1}, "--seed"),
        ({"data": DataConfig(sample=0)}, "--sample"),
        ({"data": DataConfig(test_fraction=1.0)}, "--test-fraction"),
        ({"data": DataConfig(size="32")}, "--size"),
        ({"data": DataConfig(size="0x32")}, "--size"),
        ({"fit": FitConfig(alpha=-1.0)}, "--alpha"),
        ({"fit": FitConfig(alpha=float("nan"))}, "--alpha"),
        ({"fit": FitConfig(l1_ratio=1.5)}, "--l1-ratio"),
        ({"fit": FitConfig(tol=0.0)}, "--tol"),
        ({"fit": FitConfig(max_iter=0)}, "--max-iter"),
        ({"fit": FitConfig(validation_fraction=0.0)}, "--validation-fraction"),
        ({"evaluate": EvaluateConfig(level=1.0)}, "--level"),
        ({"evaluate": EvaluateConfig(largest_k=0)}, "--largest-k"),
        ({"map": MapConfig(perplexity=1.0)}, "--perplexity"),
        ({"map": MapConfig(components=0)}, "--components"),
        ({"map": MapConfig(map_iterations=0)}, "--map-iterations"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_its_option(change, option):
    with pytest.raises(InputError, match=option):
        replace(RunConfig("digits"), **change)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("source = ", "not valid TOML"),
        ('source = "digits"\nsead = 3', "did you mean 'seed'"),
        ('source = "digits"\n[fit]\nalpha_ = 1', "unknown setting 'alpha_'"),
        ("seed = 3", "lacks a setting"),
        ('source = "digits"\nseed = "three"', "wrong type"),
    ],
)
def test_a_damaged_file_is_refused_in_words(text, words):
    with pytest.raises(InputError, match=words):
        from_toml(text, HERE)


def test_differences_name_the_settings():
    old = RunConfig("digits")
    assert differences(old, old) == []
    assert differences(old, replace(old, fit=FitConfig(alpha=0.5))) == ["fit.alpha auto -> 0.5"]


def test_parse_size():
    assert parse_size(None) is None
    assert parse_size("28x32") == (28, 32)


@given(rows=st.integers(4, 100_000))
def test_the_largest_perplexity_that_a_message_names_is_one_that_runs(rows):
    with pytest.raises(InputError, match="allow at most") as refused:
        MapConfig(perplexity=1e6).perplexity_for(rows)
    named = float(str(refused.value).split("at most ")[1].split(" ")[0])
    assert MapConfig(perplexity=named).perplexity_for(rows) == named
    assert named > (rows - 1) / 3 - 0.11
