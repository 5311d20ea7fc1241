"""Near misses are named, far ones are not."""

from gradus.core.errors import GradusError, InputError, did_you_mean


def test_an_input_error_is_what_scikit_learn_expects():
    assert issubclass(InputError, ValueError)
    assert issubclass(InputError, GradusError)


def test_did_you_mean():
    assert "'label'" in did_you_mean("lable", ["image", "label"])
    assert did_you_mean("x", []) == ""
