"""Dirty columns of real tables as 30 numbers each: what encoders of strings bring to a model.

    pip install -r benchmarks/requirements.txt
    python benchmarks/tables.py [--tables NAME ...] [--encoders NAME ...] [--rows N] [--clean]
        [--quick] [--json FILE]

Tables are those of benchmarks/_tables.py, of at most 1,500 rows. Each column of text becomes 30
columns, by an encoder that is fitted on it alone ("target encoding" makes one); other columns are
the same for all. Models are histogram gradient boosting of 50 trees and, on columns scaled by
skrub's SquashingScaler, a linear one: ridge regression, or logistic regression of two classes,
whose strength is chosen by cross-validation. Scores are of three folds: R2, or for two classes
2 AUC - 1, or of a rare class, below one row in five, the average precision, shifted and scaled; so
that 0 is a constant and 1 is perfect. Noise puts a neighbour on the keyboard in the place of one
letter in ten, in the test part alone or in both. Seconds are the processor's for all text columns
of a table, in one thread, as the mean over folds; they say nothing of all-MiniLM-L6-v2, which reads
each text once in a run. Settings of TextColumnEncoder were chosen on the tables marked "design".
"""

import time
import warnings
from functools import cache, partial

import numpy as np
import pandas as pd
from _measure import options, table, write
from _peers import minilm_folder
from _tables import ROWS, TABLES, load
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.metrics import average_precision_score, r2_score, roc_auc_score
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder
from skrub import GapEncoder, MinHashEncoder, SquashingScaler, StringEncoder
from threadpoolctl import threadpool_limits

from sklearn_cclm import TextColumnEncoder, TypoNoise

RATE = 0.1  # of letters mistyped
RARE = 0.2
TESTS = {"clean": ("clean", "test"), "both": ("both",)}  # what is tested, by how it was trained
MODELS = ("trees", "linear")


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


class MiniLM:
    """What skrub's LLMEncoder does with all-MiniLM-L6-v2, which reads each text once in a run."""

    read = {}

    def fit_transform(self, column, y):
        """Return the first principal components of the vectors of a column."""
        vectors = self._vectors(column)
        self.components = PCA(min(30, len(vectors)), random_state=0)
        return self.components.fit_transform(vectors)

    def transform(self, column):
        """Return those components of another column."""
        return self.components.transform(self._vectors(column))

    def _vectors(self, column):
        texts = column.fillna("").tolist()
        if new := sorted({*texts} - self.read.keys()):
            self.read.update(zip(new, _minilm().encode(new, batch_size=32), strict=True))
        return np.array([self.read[text] for text in texts])


@cache
def _minilm():
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(minilm_folder()), device="cpu")


def _plain(column):
    return column.fillna("").to_numpy(object)[:, None]


ENCODERS = {
    "TextColumnEncoder": TextColumnEncoder,
    "StringEncoder": partial(StringEncoder, random_state=0),
    "MinHashEncoder": MinHashEncoder,
    "GapEncoder": partial(GapEncoder, n_components=30, random_state=0),
    "all-MiniLM-L6-v2": MiniLM,
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
        start = time.process_time()
        fitted = encoder.fit_transform(train[name], y)
        middle = time.process_time()
        read = [encoder.transform(test[name]) for test in tests]
        seconds += [middle - start, (time.process_time() - middle) / len(tests)]
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


def estimator(model, binary):
    """Return a model of numbers."""
    if model == "trees":
        trees = HistGradientBoostingClassifier if binary else HistGradientBoostingRegressor
        return trees(max_iter=50, random_state=0)
    linear = LogisticRegressionCV(
        Cs=np.logspace(-4, 1, 6),
        cv=3,
        l1_ratios=(0,),
        scoring="roc_auc",
        use_legacy_attributes=False,
    )
    alphas = np.logspace(-1, 4, 11)
    return make_pipeline(SimpleImputer(), SquashingScaler(), linear if binary else RidgeCV(alphas))


def score(fitted, binary, X, truth):
    """Return what a model scores: 0 is a constant, 1 is perfect."""
    if not binary:
        return r2_score(truth, fitted.predict(X))
    said, share = fitted.predict_proba(X)[:, 1], truth.mean()
    if share < RARE:
        return (average_precision_score(truth, said) - share) / (1 - share)
    return 2 * roc_auc_score(truth, said) - 1


def run(name, make, rows, kinds=TESTS):
    """Return the mean scores of an encoder on a table, by noise and model, and its seconds."""
    text, others, y = load(name, rows)
    noisy, binary = mistyped(text, 1), TABLES[name].binary
    scores, seconds = {}, []
    for train, test in KFold(3, shuffle=True, random_state=0).split(y):
        for trained, tested in kinds.items():
            source = text if trained == "clean" else noisy
            tests = [(text if kind == "clean" else noisy).iloc[test] for kind in tested]
            (X, *encoded), took = encode(make, source.iloc[train], y[train], tests)
            if trained == "clean":
                seconds.append(took)
            for model in MODELS:
                own, of_test = rest(others.iloc[train], others.iloc[test], model)
                fitted = estimator(model, binary).fit(np.hstack([X, own]), y[train])
                for kind, part in zip(tested, encoded, strict=True):
                    found = score(fitted, binary, np.hstack([part, of_test]), y[test])
                    scores.setdefault(f"{kind}, {model}", []).append(found)
    fit, transform = np.mean(seconds, axis=0)
    return {kind: float(np.mean(found)) for kind, found in scores.items()} | {
        "fit": fit,
        "transform": transform,
    }


COLUMNS = [f"{kind}, {model}" for model in MODELS for kind in ("clean", "test", "both")]


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
            columns = [key for key in COLUMNS if key in means]
            rows.append([encoder, *(f"{means[key]:.3f}" for key in columns)])
            rows[-1] += [f"{means[key]:.2f}" for key in ("fit", "transform")]
        table(["encoder", *columns, "fit, s", "transform, s"], rows)


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
        rows={"type": int, "default": ROWS},
        clean={"action": "store_true", "help": "mistype nothing"},
    )
    names = given.tables[:2] if given.quick else given.tables
    figures, kinds = {}, {"clean": ("clean",)} if given.clean else TESTS
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            figures[name] = {
                encoder: run(name, ENCODERS[encoder], 300 if given.quick else given.rows, kinds)
                for encoder in given.encoders
            }
            print(name, figures[name], flush=True)
    show(figures)
    write(given, tables=figures)


if __name__ == "__main__":
    main()
