"""The checks of text estimators: each takes an unfitted estimator and raises if it misbehaves."""

from __future__ import annotations

import copy
import io
import pickle
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import joblib
import numpy as np
from numpy.testing import assert_array_equal
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, UndefinedMetricWarning
from sklearn.model_selection import GridSearchCV
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm.utils._check_tools import (
    LABELS,
    READERS,
    REFUSED,
    TEXTS,
    UNUSUAL,
    Invalid,
    assert_close_padded,
    assert_same,
    call,
    containers,
    dense,
    fitted,
    outcome,
    pipeline,
    refusal,
    rng_states,
    seeded,
    state,
)


def check_text_tags(estimator: Any) -> None:
    """Check that the tags say that the input is one column of strings."""
    tags = get_tags(estimator).input_tags
    assert tags.string, "input_tags.string is not True"
    assert tags.one_d_array, "input_tags.one_d_array is not True"
    assert not tags.two_d_array, "input_tags.two_d_array is not False"


def check_fit_returns_self(estimator: Any) -> None:
    """Check that `fit` returns the estimator."""
    estimator = clone(estimator)
    assert call(estimator.fit, list(TEXTS)) is estimator, "fit does not return self"


def check_fit_is_deterministic(estimator: Any) -> None:
    """Check that fits with the same random_state are equal, also after a fit on other texts."""
    expected = outcome(fitted(estimator))
    assert_same(expected, outcome(fitted(estimator)), "a second estimator's fit")
    again = call(fitted(estimator, TEXTS[:8]).fit, list(TEXTS))
    assert_same(expected, outcome(again), "a second fit, after one on other texts")


def check_random_state_matters(estimator: Any) -> None:
    """Check that other seeds give another result."""
    both = [seeded(estimator).set_params(random_state=n) for n in (0, 1)]
    seeds = [outcome(call(one.fit, list(TEXTS))) for one in both]
    same = all(np.array_equal(seeds[0][name], seeds[1][name]) for name in seeds[0])
    assert not same, "random_state=0 and random_state=1 give the same result"


def check_fit_changes_no_parameter(estimator: Any) -> None:
    """Check that `fit` neither replaces a parameter nor changes one in place."""
    estimator = seeded(estimator)
    before = estimator.get_params(deep=True)
    looks = joblib.hash(before), repr(before)
    call(estimator.fit, list(TEXTS))
    after = estimator.get_params(deep=True)
    names = before.keys() | after.keys()
    replaced = [name for name in names if before.get(name) is not after.get(name)]
    assert not replaced, f"fit replaces the parameters {sorted(replaced)}"
    assert (joblib.hash(after), repr(after)) == looks, "fit changes a parameter in place"


def check_fitted_names(estimator: Any) -> None:
    """Check that what `fit` adds has a name that ends, or starts, with an underscore."""
    estimator = clone(estimator)
    before = set(vars(estimator))
    call(estimator.fit, list(TEXTS))
    wrong = [n for n in vars(estimator).keys() - before if n[0] != "_" and n[-1] != "_"]
    assert not wrong, f"fit adds {wrong}, which do not end with an underscore"


def check_reading_changes_no_state(estimator: Any) -> None:
    """Check that `transform`, `predict` and `score` leave the estimator as it was."""
    estimator = fitted(estimator)
    before = state(estimator)
    outcome(estimator)
    outcome(estimator, ["something else", "and more"])
    assert state(estimator) == before, "reading texts changes the fitted estimator"


def check_global_rng_untouched(estimator: Any) -> None:
    """Check that the global generators of Python, numpy and torch stay as they were."""
    before = rng_states()
    outcome(fitted(estimator))
    call(clone(estimator).fit, list(TEXTS))
    used = [name for name, now in rng_states().items() if now != before[name]]
    assert not used, f"the global random generators of {used} were used"


def check_containers(estimator: Any) -> None:
    """Check that lists, tuples, arrays and Series of the same texts give the same."""
    expected = outcome(fitted(estimator))
    for kind, texts in containers(TEXTS):
        assert_same(expected, outcome(call(seeded(estimator).fit, texts), texts), kind)


def check_refused_input(estimator: Any) -> None:
    """Check that what is not a sequence of texts is refused, in `fit` and after it."""
    ready = fitted(estimator)
    methods = [clone(estimator).fit, *(getattr(ready, n) for n in READERS if hasattr(ready, n))]
    for method in methods:
        for kind, X in REFUSED.items():
            assert refusal(method, X), f"{method.__name__} does not refuse {kind}: {X!r}"


def check_failed_fit_changes_nothing(estimator: Any) -> None:
    """Check that a fit that fails leaves the estimator, unfitted or fitted, as it was."""
    for start in (seeded(estimator), fitted(estimator)):
        for X in (*REFUSED.values(), [], ["", ""]):
            trial, before = copy.copy(start), vars(start)
            if refusal(trial.fit, X) is not None:
                now = vars(trial)
                assert now.keys() == before.keys(), f"a failed fit sets {now.keys() - before}"
                changed = [name for name in before if now[name] is not before[name]]
                assert not changed, f"a failed fit changes {changed}"


def check_unusual_texts(estimator: Any) -> None:
    """Check that empty, unseen, astral and ill-formed texts are read, and results stay finite."""
    for texts in (TEXTS, TEXTS + UNUSUAL):
        for name, value in outcome(fitted(estimator, texts), TEXTS + UNUSUAL).items():
            assert isinstance(value, str) or np.isfinite(value).all(), f"{name} is not finite"


def check_one_sample(estimator: Any) -> None:
    """Check that one text is enough, or two if the error says so, and that each gives a row."""
    says_two = "two" in (refusal(seeded(estimator).fit, list(TEXTS[:1])) or "")
    texts = TEXTS[: 1 + says_two]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)  # of R^2, which needs two
        found = outcome(fitted(estimator, texts), texts)
    for name, value in found.items():
        rows = len(value) if name in ("transform", "predict") else len(texts)
        assert rows == len(texts), f"{name} of {len(texts)} texts gives {rows} rows"


def check_no_samples(estimator: Any) -> None:
    """Check that no texts give no rows, and are refused in `fit` and `score`."""
    ready = fitted(estimator)
    for method in (clone(estimator).fit, getattr(ready, "score", None)):
        assert method is None or refusal(method, []), f"{method.__name__} does not refuse []"
    for name in {"transform", "predict"} & set(dir(ready)):
        some, none = (dense(getattr(ready, name)(texts)) for texts in (list(TEXTS), []))
        assert len(none) == 0, f"{name} of no texts gives {len(none)} rows"
        assert (none.ndim, none.dtype) == (some.ndim, some.dtype), f"{name} of no texts: {none!r}"
        same = some.ndim == 1 or none.shape[-1] == some.shape[-1]
        assert same, f"{name} of no texts has the shape {none.shape}"


def check_pickle(estimator: Any) -> None:
    """Check that pickle and joblib give back an estimator that does the same."""
    ready = fitted(estimator)
    expected = outcome(ready)
    assert_same(expected, outcome(pickle.loads(pickle.dumps(ready))), "pickle")
    buffer = io.BytesIO()
    joblib.dump(ready, buffer)
    buffer.seek(0)
    assert_same(expected, outcome(joblib.load(buffer)), "joblib")
    unfitted = pickle.loads(pickle.dumps(seeded(estimator)))
    assert_same(expected, outcome(call(unfitted.fit, list(TEXTS))), "pickle before fit")


def check_copies(estimator: Any) -> None:
    """Check that copies do the same, and that a clone is unfitted and does the same once fitted."""
    ready = fitted(estimator)
    expected = outcome(ready)
    assert_same(expected, outcome(copy.copy(ready)), "copy")
    assert_same(expected, outcome(copy.deepcopy(ready)), "deepcopy")
    cloned = clone(ready)
    kept = vars(cloned).keys() - vars(clone(estimator)).keys()
    assert not kept, f"clone keeps {sorted(kept)}"
    assert_same(expected, outcome(call(cloned.fit, list(TEXTS))), "clone, fitted")


def check_not_fitted(estimator: Any) -> None:
    """Check that reading before `fit` raises NotFittedError."""
    estimator = clone(estimator)
    readers = [getattr(estimator, name) for name in READERS if hasattr(estimator, name)]
    reads = [partial(call, reader, TEXTS) for reader in readers]
    for method in (partial(check_is_fitted, estimator), *reads):
        try:
            method()
        except NotFittedError:
            continue
        name = (method.args[0] if method.func is call else method.func).__name__
        raise AssertionError(f"{name} raises no NotFittedError before fit")


def check_invalid_parameters(estimator: Any) -> None:
    """Check that a parameter of a wrong type is refused in `fit`, and not before."""
    params = estimator.get_params(deep=False)
    for name in params:
        wrong = type(estimator)(**{**params, name: Invalid()})
        assert refusal(wrong.fit, list(TEXTS)), f"fit accepts any value of {name}"
        added = vars(wrong).keys() - vars(estimator).keys()
        assert not added, f"a fit that refuses {name} sets {sorted(added)}"


def check_grid_search(estimator: Any) -> None:
    """Check that it can be searched: by the score of a classifier behind it, or by its own."""
    if hasattr(estimator, "transform"):
        searched, grid = pipeline(estimator), {"logisticregression__C": [0.1, 1.0]}
    else:
        searched, grid = seeded(estimator), {}
    search = GridSearchCV(searched, grid, cv=2, error_score="raise").fit(list(TEXTS), LABELS)
    assert np.isfinite(search.best_score_), "the score is not finite"


def check_rows_independent(estimator: Any) -> None:
    """Check that a text's result depends neither on its place nor on the texts beside it."""
    ready = fitted(estimator)
    texts = [*TEXTS, *UNUSUAL]
    whole = dense(ready.transform(texts))
    order = np.random.default_rng(0).permutation(len(texts))
    for rows in [order, order[::-1], order[:5], *order[:, None]]:
        part = dense(ready.transform([texts[row] for row in rows]))
        assert len(part) == len(rows), f"{len(rows)} texts give {len(part)} rows"
        assert_close_padded(part, whole[rows])


def check_output(estimator: Any) -> None:
    """Check that `transform` gives finite float32 or int64 with a row per text: array or CSR."""
    out = fitted(estimator).transform(list(TEXTS))
    allowed = isinstance(out, np.ndarray) or getattr(out, "format", "") == "csr"
    assert allowed, f"transform gives {type(out).__name__}"
    out = dense(out)
    assert out.dtype in (np.float32, np.int64), f"transform gives {out.dtype}"
    assert out.ndim >= 2, "transform gives one dimension"
    assert len(out) == len(TEXTS), f"{len(TEXTS)} texts give {len(out)} rows"
    assert np.isfinite(out).all(), "the output is not finite"


def check_fit_transform(estimator: Any) -> None:
    """Check that `fit_transform` is `fit`, then `transform`."""
    expected = dense(fitted(estimator).transform(list(TEXTS)))
    assert_close_padded(dense(seeded(estimator).fit_transform(list(TEXTS))), expected)


def check_feature_names(estimator: Any) -> None:
    """Check that every feature has a name of its own."""
    ready = fitted(estimator)
    names = list(ready.get_feature_names_out())
    width = ready.transform(list(TEXTS)).shape[-1]
    assert len(names) == width, f"{len(names)} names for {width} features"
    assert len(set(names)) == width, "feature names repeat"
    assert all(isinstance(name, str) for name in names), "feature names are not strings"


def check_pipeline(estimator: Any) -> None:
    """Check that it works in front of a classifier."""
    assert len(pipeline(estimator).fit(list(TEXTS), LABELS).predict(["a new text", ""])) == 2


def check_set_output(estimator: Any) -> None:
    """Check that frames hold the same numbers under the feature names; pandas keeps the index.

    Sparse output must be refused as a frame.
    """
    ready = fitted(estimator)
    expected, names = ready.transform(list(TEXTS)), list(ready.get_feature_names_out())
    for kind, texts in containers(TEXTS):
        if kind in ("pandas", "polars"):
            framed = copy.copy(ready).set_output(transform=kind)
            if issparse(expected):
                assert refusal(framed.transform, texts), f"{kind} hides that the output is sparse"
                continue
            frame = framed.transform(texts)
            assert list(frame.columns) == names, f"the {kind} columns are not the feature names"
            assert_array_equal(frame.to_numpy(), expected)
            assert kind == "polars" or frame.index.equals(texts.index), "the index is lost"


ANY: tuple[Callable[[Any], None], ...] = (
    check_text_tags, check_fit_returns_self, check_fit_is_deterministic,
    check_fit_changes_no_parameter, check_fitted_names, check_reading_changes_no_state,
    check_global_rng_untouched, check_containers, check_refused_input,
    check_failed_fit_changes_nothing, check_unusual_texts, check_one_sample, check_no_samples,
    check_pickle, check_copies, check_invalid_parameters,
)  # fmt: skip
TRANSFORMER: tuple[Callable[[Any], None], ...] = (
    check_output, check_fit_transform, check_feature_names, check_pipeline,
)  # fmt: skip


def applicable(estimator: Any) -> Iterator[Callable[[Any], None]]:
    """Yield the checks that an estimator must pass, by the methods and parameters it has."""
    yield from ANY
    tags = get_tags(estimator)
    if tags.requires_fit:
        yield check_not_fitted
    if "random_state" in estimator.get_params(deep=False):
        yield check_random_state_matters
    if hasattr(estimator, "transform"):
        yield from TRANSFORMER
        if not tags.non_deterministic:
            yield check_rows_independent
    if hasattr(estimator, "transform") or hasattr(estimator, "score"):
        yield check_grid_search
    if hasattr(estimator, "set_output"):
        yield check_set_output
