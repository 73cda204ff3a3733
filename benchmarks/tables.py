"""Dirty columns of real tables as 30 numbers each: what encoders of strings bring to a model.

    pip install -r benchmarks/requirements.txt
    python benchmarks/tables.py [--tables NAME ...] [--encoders NAME ...] [--quick] [--json FILE]

Tables are those of benchmarks/_tables.py, of at most 1,500 rows. Each column of text becomes 30
columns, by an encoder that is fitted on it alone ("target encoding" makes one); other columns are
the same for all. Models are histogram gradient boosting of 50 trees and, on columns scaled by
skrub's SquashingScaler, a ridge regression whose strength is chosen among 11 by leave-one-out.
Scores are of three folds: R2, or for two classes 2 AUC - 1, so that 0 is a constant and 1 is
perfect. Noise puts a neighbour on the keyboard in the place of one letter in ten, in the test part
alone or in both. Seconds are those of all text columns of a table, in one thread, as the mean over
folds. Settings of TextColumnEncoder were chosen on the tables marked "design" alone.
"""

import time
import warnings
from functools import partial

import numpy as np
import pandas as pd
from _measure import options, table, write
from _tables import ROWS, TABLES, load
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder
from skrub import GapEncoder, MinHashEncoder, SquashingScaler, StringEncoder
from threadpoolctl import threadpool_limits

from sklearn_cclm import TextColumnEncoder, TypoNoise

RATE = 0.1  # of letters mistyped
NOISES = ("clean", "test", "both")
MODELS = ("trees", "ridge")


class Target:
    """scikit-learn's target encoding, of one column."""

    def fit_transform(self, column, y):
        """Return what is learned of the column, by cross-fitting."""
        kind = "binary" if len(np.unique(y)) == 2 else "continuous"
        self.encoder = TargetEncoder(target_type=kind, random_state=0)
        return self.encoder.fit_transform(_plain(column), y)

    def transform(self, column):
        """Return the column encoded."""
        return self.encoder.transform(_plain(column))


def _plain(column):
    return column.fillna("").to_numpy(object)[:, None]


ENCODERS = {
    "TextColumnEncoder": TextColumnEncoder,
    "StringEncoder": partial(StringEncoder, random_state=0),
    "MinHashEncoder": MinHashEncoder,
    "GapEncoder": partial(GapEncoder, n_components=30, random_state=0),
    "target encoding": Target,
}


def mistyped(text, seed):
    """Return a frame with letters mistyped, missing values as they are."""
    noise = TypoNoise("slip", rate=RATE, random_state=seed, missing="empty")
    return pd.DataFrame(
        {
            name: pd.Series(noise.transform(text[name]), dtype="string").where(text[name].notna())
            for name in text
        }
    ).set_axis(text.index)


def encode(make, train, y, tests):
    """Return the training part and each test part encoded, and seconds to fit and to transform."""
    blocks, seconds = [], np.zeros(2)
    for name in train:
        encoder = make()
        start = time.perf_counter()
        fitted = encoder.fit_transform(train[name], y)
        middle = time.perf_counter()
        read = [encoder.transform(test[name]) for test in tests]
        seconds += [middle - start, (time.perf_counter() - middle) / len(tests)]
        blocks.append([np.asarray(part, float) for part in (fitted, *read)])
    return [np.hstack(parts) for parts in zip(*blocks, strict=True)], seconds


def rest(train, test, model):
    """Return the columns that are no text as numbers."""
    words = [name for name in train if not pd.api.types.is_numeric_dtype(train[name])]
    codes = (
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        if model == "trees"
        else OneHotEncoder(handle_unknown="ignore", max_categories=30, sparse_output=False)
    )
    made = make_column_transformer((codes, words), remainder="passthrough")
    return made.fit_transform(train).astype(float), made.transform(test).astype(float)


def score(model, binary, X, y, tests, truth):
    """Return the score on each test part."""
    if model == "ridge":
        alphas = np.logspace(-1, 4, 11)
        estimator = make_pipeline(SimpleImputer(), SquashingScaler(), RidgeCV(alphas))
    else:
        trees = HistGradientBoostingClassifier if binary else HistGradientBoostingRegressor
        estimator = trees(max_iter=50, random_state=0)
    estimator.fit(X, y)
    if not binary:
        return [r2_score(truth, estimator.predict(test)) for test in tests]
    said = estimator.predict if model == "ridge" else lambda X: estimator.predict_proba(X)[:, 1]
    return [2 * roc_auc_score(truth, said(test)) - 1 for test in tests]


def run(name, make, rows):
    """Return the mean scores of an encoder on a table, by noise and model, and its seconds."""
    text, others, y = load(name, rows)
    noisy, binary = mistyped(text, 1), TABLES[name].binary
    scores, seconds = {}, []
    for train, test in KFold(3, shuffle=True, random_state=0).split(y):
        for noise, source in {"clean": text, "both": noisy}.items():
            tests = [noisy.iloc[test]] + [text.iloc[test]] * (noise == "clean")
            (X, *encoded), took = encode(make, source.iloc[train], y[train], tests)
            if noise == "clean":
                seconds.append(took)
            for model in MODELS:
                own, of_test = rest(others.iloc[train], others.iloc[test], model)
                found = score(
                    model,
                    binary,
                    np.hstack([X, own]),
                    y[train],
                    [np.hstack([part, of_test]) for part in encoded],
                    y[test],
                )
                names = ("test", "clean") if noise == "clean" else ("both",)
                for kind, value in zip(names, found, strict=True):
                    scores.setdefault(f"{kind}, {model}", []).append(value)
    fit, transform = np.mean(seconds, axis=0)
    return {kind: float(np.mean(found)) for kind, found in scores.items()} | {
        "fit": fit,
        "transform": transform,
    }


COLUMNS = [f"{noise}, {model}" for model in MODELS for noise in NOISES]


def show(figures):
    """Print the figures of each table, and means by kind, by use and in all."""
    groups = {_title(name): [name] for name in figures}
    for of in (_kind, _use, lambda name: "all tables"):
        for name in figures:
            groups.setdefault(of(name), []).append(name)
    for group, names in groups.items():
        print(f"{group} ({len(names)}):\n" if len(names) > 1 else f"{group}:\n")
        rows = []
        for encoder, found in figures[names[0]].items():
            means = {key: np.mean([figures[n][encoder][key] for n in names]) for key in found}
            rows.append([encoder, *(f"{means[key]:.3f}" for key in COLUMNS)])
            rows[-1] += [f"{means[key]:.2f}" for key in ("fit", "transform")]
        table(["encoder", *COLUMNS, "fit, s", "transform, s"], rows)


def _title(name):
    return f"{name}, {TABLES[name].kind}: {', '.join(TABLES[name].text)}"


def _kind(name):
    return TABLES[name].kind


def _use(name):
    return "tables of the design" if TABLES[name].design else "other tables"


def main():
    """Run the benchmark."""
    given = options(
        __doc__,
        tables={"nargs": "+", "choices": TABLES, "default": list(TABLES)},
        encoders={"nargs": "+", "choices": ENCODERS, "default": list(ENCODERS)},
    )
    names = given.tables[:2] if given.quick else given.tables
    figures = {}
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            figures[name] = {
                encoder: run(name, ENCODERS[encoder], 300 if given.quick else ROWS)
                for encoder in given.encoders
            }
            print(name, figures[name], flush=True)
    show(figures)
    write(given, tables=figures)


if __name__ == "__main__":
    main()
