from __future__ import annotations

import inspect

import pytest

from intel_ml.core import errors


def test_the_drawn_tree_names_every_error_and_only_those():
    drawn = set(__import__("re").findall(r"\b(\w+Error)\b", errors.__doc__ or ""))
    real = {
        n
        for n, v in inspect.getmembers(errors, inspect.isclass)
        if issubclass(v, errors.IntelError)
    }
    assert drawn == real


@pytest.mark.parametrize(
    ("name", "hint"), [("spnd", "Did you mean 'spend'?"), ("zzz", "Known: clicks, spend.")]
)
def test_an_unknown_name_comes_with_the_nearest_or_with_all(name: str, hint: str):
    assert hint in str(errors.UnknownNameError(kind="field", name=name, known=["spend", "clicks"]))


def test_missing_columns_are_said_beside_those_that_are_there():
    text = str(errors.MissingColumnsError(missing=["spend"], present=["ad_id", "Clicks"]))
    assert "spend" in text
    assert "ad_id, Clicks" in text
    assert "Nothing was loaded" in text
