"""`ComposedRegressor`: one target or several."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from sklearn_cclm import ComposedRegressor, ModelFormatError, load

STARS = {"good": 4, "great": 5, "lovely": 5, "fine": 3, "bad": 1, "awful": 0, "poor": 1, "dull": 2}


def stars(texts):
    return np.array([100 + 7 * STARS[text.split()[1]] for text in texts])


def head(tower, **params):
    return ComposedRegressor([("bag", tower)], **{"random_state": 0, "max_epochs": 30, **params})


def test_learns_numbers_of_any_size(tower, data, held_out):
    model = head(tower).fit(data[0], stars(data[0]))
    assert model.predict(held_out[0]).shape == (len(held_out[0]),)
    assert model.score(held_out[0], stars(held_out[0])) > 0.95


def test_several_targets(tower, data, held_out):
    def targets(texts):
        return np.stack([stars(texts), -0.001 * stars(texts), np.ones(len(texts))], axis=1)

    model = head(tower).fit(data[0], targets(data[0]))
    found = model.predict(held_out[0])
    assert found.shape == (len(held_out[0]), 3)
    np.testing.assert_allclose(found[:, 0] * -0.001, found[:, 1], atol=0.005)
    np.testing.assert_allclose(found[:, 2], 1, atol=0.5)
    with pytest.raises(ValueError, match="2 targets, but the first fit saw 3"):
        model.partial_fit(data[0], targets(data[0])[:, :2])


def test_begins_at_a_ridge_regression(tower, data, held_out):
    model = head(tower, linear_probe=True, freeze="towers", lr=1e-9, max_epochs=1)
    assert model.fit(data[0], stars(data[0])).score(held_out[0], stars(held_out[0])) > 0.7


def test_weights_count(tower, data):
    texts = ["a good film"] * 20
    y = [0.0, 10.0] * 10
    model = head(tower, validation_fraction=0, lr=0.01)
    weights = [1, 9] * 10
    assert model.fit(texts, y, sample_weight=weights).predict(texts[:1])[0] == pytest.approx(
        9, abs=1
    )


@pytest.mark.parametrize(
    "holder",
    [
        lambda y: pd.Series(list(y)),
        lambda y: pl.DataFrame({"y": y.tolist()}),
        lambda y: torch.tensor(y, requires_grad=True),
        np.asfortranarray,
        pd.DataFrame,
    ],
)
def test_targets_are_read_from_columns_frames_and_tensors(tower, data, holder):
    y = np.stack([stars(data[0]), -0.001 * stars(data[0])], axis=1)
    short = {"max_epochs": 1, "freeze": "towers"}
    weights = torch.ones(len(y), requires_grad=True)
    found = head(tower, **short).fit(data[0], holder(y), sample_weight=weights)
    whole = head(tower, **short).fit(data[0], y)
    assert np.array_equal(found.predict(data[0]), whole.predict(data[0]))
    assert found.score(data[0], holder(y)) == whole.score(data[0], y)


def test_what_is_no_number_is_refused(tower, data):
    n = len(data[0])
    for y in ([np.nan] * n, ["a"] * n, None, np.zeros(n, dtype="M8[D]")):
        with pytest.raises(ValueError, match="NaN|convert|requires y"):
            head(tower).fit(data[0], y)


def test_missing_targets_are_told_with_their_rows(tower, data):
    gap = [1.0, None, *[2.0] * (len(data[0]) - 2)]
    for y in (gap, pd.Series(gap, dtype="Float64"), pl.Series(gap), pa.array(gap)):
        with pytest.raises(ValueError, match=r"missing value\(s\), in the rows \[1\]"):
            head(tower).fit(data[0], y)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"mean": [', '"mean": [null, '),
        ('"scale": [', '"scale": [-1.0, '),
        ('"one_target": true', '"one_target": 1'),
    ],
)
def test_forged_scales_are_refused(tower, data, tmp_path, old, new):
    head(tower, max_epochs=1).fit(data[0], stars(data[0])).save(tmp_path / "head")
    path = tmp_path / "head" / "config.json"
    config = path.read_text()
    assert old in config
    path.write_text(config.replace(old, new))
    with pytest.raises(ModelFormatError):
        load(tmp_path / "head")


def test_targets_too_large_to_standardise_are_refused(tower, data):
    y = np.where(np.arange(len(data[0])) % 2, 1e200, -1e200)
    with pytest.raises(ValueError, match="y is too large"):
        head(tower).fit(data[0], y)
