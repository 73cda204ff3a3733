"""Text transformers beside towers: fitted with them, balanced, sparse where they are sparse."""

import pickle
import warnings

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    ComposedEmbedder,
    ComposedModel,
    MaskedCharacterPretrainer,
    PooledConfig,
    TypoNoise,
    make_composed,
)
from sklearn_cclm.nn import NgramBase
from sklearn_cclm.utils.estimator_checks import parametrize_with_text_checks

TEXTS = [f"{a} {b}" for a in ("good", "bad", "red", "old") for b in ("film", "dogs", "a long day")]
LABELS = [0, 1, 2] * 4
LEXICAL = TfidfVectorizer(
    analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, dtype=np.float32
)


def pretrainer(seed=0, *, max_example_len=20, **reading):
    recipe = CCLMModelBase(
        CharPreprocessor(max_example_len=max_example_len, **reading),
        width=8, ngram_orders=(2, 3), n_buckets=50,
    )  # fmt: skip
    tower = PooledConfig(width=4, hidden=4)
    return MaskedCharacterPretrainer(recipe, tower=tower, max_epochs=1, random_state=seed)


@pytest.fixture(scope="module")
def tower():
    return pretrainer().fit(TEXTS).tower_


@pytest.fixture(scope="module")
def other():
    return pretrainer(1).fit(TEXTS).tower_


def lengths(texts):
    return [[len(text), text.count(" ")] for text in texts]


def rms(rows):
    squares = rows.multiply(rows) if sparse.issparse(rows) else np.square(rows)
    return np.sqrt(squares.sum() / rows.shape[0])


class Recorder(TransformerMixin, BaseEstimator):
    """Counts characters, and keeps what it was given."""

    def __init__(self, log=None):
        self.log = log

    def __sklearn_clone__(self):  # the log is shared
        return Recorder(self.log)

    def fit(self, X, y=None):
        self.log.append(("fit", list(X), None if y is None else list(y)))
        self.fitted_ = True
        return self

    def transform(self, X):
        self.log.append(("transform", list(X), None))
        return np.array(lengths(X))


# the same as by hand


def test_equals_a_feature_union_done_by_hand(tower, other):
    towers = [("first", tower), ("words", TfidfVectorizer()), ("second", other)]
    embedder = ComposedEmbedder(
        towers, lexical="tfidf", tower_weights={"second": 3.0, "lexical": 0.5}
    )
    out = embedder.fit(TEXTS[:8]).transform(TEXTS)
    alone = {
        "first": ComposedEmbedder([("first", tower)]),
        "words": TfidfVectorizer(),
        "second": ComposedEmbedder([("second", other)]),
        "lexical": clone(LEXICAL),
    }
    weights = {name: 1 / rms(part.fit_transform(TEXTS[:8])) for name, part in alone.items()}
    weights["second"] *= 3.0
    weights["lexical"] *= 0.5
    whole = np.linalg.norm([1.0, 1.0, 3.0, 0.5])
    weights = {name: 5 * weight / whole for name, weight in weights.items()}
    union = FeatureUnion(list(alone.items()), transformer_weights=weights).fit(TEXTS[:8])
    assert_allclose(out.toarray(), union.transform(TEXTS).toarray(), atol=1e-5)


def test_towers_alone_are_as_they_were(tower, other):
    embedder = ComposedEmbedder([("a", tower), ("b", other)]).fit(TEXTS)
    assert embedder.scales_ == {"a": 1.0, "b": 1.0}
    by_hand = [ComposedEmbedder([("t", t)]).fit(["any"]).transform(TEXTS) for t in (tower, other)]
    assert_array_equal(embedder.transform(TEXTS), np.hstack(by_hand))


def test_tfidf_is_short_for_an_entry(tower):
    short = ComposedEmbedder([("t", tower)], lexical="tfidf").fit_transform(TEXTS)
    spelt = ComposedEmbedder([("t", tower), ("ngrams", LEXICAL)]).fit_transform(TEXTS)
    assert_array_equal(short.toarray(), spelt.toarray())


def test_blocks_stand_in_the_order_of_the_entries(tower, other):
    parts = [("n", FunctionTransformer(lengths)), ("t", tower), ("s", LEXICAL), ("u", other)]
    embedder = ComposedEmbedder(parts, lexical=True).fit(TEXTS)
    assert [name for name, _ in embedder.towers_] == ["n", "t", "s", "u", "lexical"]
    prefixes = [name.partition("__")[0] for name in embedder.get_feature_names_out()]
    assert list(dict.fromkeys(prefixes)) == ["n", "t", "s", "u", "lexical"]
    out = embedder.transform(TEXTS).toarray()
    first = prefixes.index("u")
    expected = ComposedEmbedder([("u", other)]).fit(TEXTS).transform(TEXTS) / embedder.scales_["u"]
    expected *= 5 / np.sqrt(5)
    assert_allclose(out[:, first : first + 4], expected, atol=1e-6)


# sparse and dense


def test_sparse_stays_sparse(tower):
    out = ComposedEmbedder([("t", tower)], lexical=True).fit(TEXTS).transform(TEXTS)
    assert sparse.issparse(out)
    assert out.format == "csr"
    assert out.dtype == np.float32
    assert out.indices.dtype == np.int32  # the solvers of scikit-learn refuse others
    stored = clone(LEXICAL).fit_transform(TEXTS).nnz + 4 * len(TEXTS)
    assert out.nnz <= stored


@pytest.mark.parametrize("weight", [2, 0.5, np.float64(0.3)])
def test_weights_keep_float32(tower, weight):
    embedder = ComposedEmbedder([("t", tower)], lexical=True, tower_weights={"lexical": weight})
    assert embedder.fit_transform(TEXTS).dtype == np.float32


def test_dense_stays_dense(tower):
    svd = make_pipeline(TfidfVectorizer(), TruncatedSVD(3, random_state=0))
    out = ComposedEmbedder([("t", tower), ("svd", svd)]).fit(TEXTS).transform(TEXTS)
    assert isinstance(out, np.ndarray)
    assert out.shape == (len(TEXTS), 7)
    assert out.dtype == np.float32


def test_no_texts_give_no_rows(tower):
    for part, kind in ((LEXICAL, sparse.csr_matrix), (FunctionTransformer(lengths), np.ndarray)):
        embedder = ComposedEmbedder([("t", tower), ("part", part)]).fit(TEXTS)
        out = embedder.transform([])
        assert isinstance(out, kind)
        assert out.shape == (0, len(embedder.get_feature_names_out()))


def test_transformers_need_no_tower():
    embedder = ComposedEmbedder([("words", TfidfVectorizer())], truncation="error").fit(TEXTS)
    expected = 5 * TfidfVectorizer().fit_transform(TEXTS)
    assert_allclose(embedder.transform(TEXTS).toarray(), expected.toarray(), atol=1e-5)


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_frames_of_sparse_features_are_refused(tower, kind):
    message = f"A {kind} frame .* sparse .* lexical=False .* n_components=100"
    embedder = ComposedEmbedder([("t", tower)], lexical=True).set_output(transform=kind).fit(TEXTS)
    with pytest.raises(ValueError, match=message):
        embedder.fit_transform(TEXTS)
    with pytest.raises(ValueError, match=message):
        clone(embedder).fit_transform(TEXTS)
    with config_context(transform_output=kind), pytest.raises(ValueError, match=message):
        ComposedEmbedder([("t", tower)], lexical=True).fit_transform(TEXTS)
    with config_context(transform_output=kind):
        assert sparse.issparse(embedder.set_output(transform="default").transform(TEXTS))


def test_frames_of_dense_features(tower):
    parts = [("t", tower), ("n", FunctionTransformer(lengths))]
    embedder = ComposedEmbedder(parts).set_output(transform="pandas").fit(TEXTS)
    frame = embedder.transform(TEXTS)
    assert list(frame.columns) == ["t__0", "t__1", "t__2", "t__3", "n__0", "n__1"]


def test_a_transformer_may_give_frames(tower):
    svd = make_pipeline(TfidfVectorizer(), TruncatedSVD(3, random_state=0))
    plain = ComposedEmbedder([("t", tower), ("svd", svd)]).fit(TEXTS).transform(TEXTS)
    framed = clone(svd).set_params(truncatedsvd=clone(svd[-1]).set_output(transform="pandas"))
    out = ComposedEmbedder([("t", tower), ("svd", framed)]).fit(TEXTS).transform(TEXTS)
    assert_array_equal(out, plain)


# balance


@pytest.mark.parametrize("factor", [1e-3, 1.0, 1e4])
def test_blocks_are_balanced_whatever_their_scale(tower, factor):
    scaled = FunctionTransformer(lambda texts: np.array(lengths(texts)) * factor)
    embedder = ComposedEmbedder([("t", tower), ("n", scaled)], lexical=True).fit(TEXTS)
    out = embedder.transform(TEXTS).toarray()
    assert rms(out) == pytest.approx(5, rel=1e-5)
    for columns in (slice(0, 4), slice(4, 6), slice(6, None)):
        assert rms(out[:, columns]) == pytest.approx(5 / np.sqrt(3), rel=1e-5)


def test_weights_count_after_balancing(tower):
    weights = {"t": 2.0, "lexical": 0.5}
    embedder = ComposedEmbedder([("t", tower)], lexical=True, tower_weights=weights).fit(TEXTS)
    out = embedder.transform(TEXTS).toarray()
    assert rms(out) == pytest.approx(5, rel=1e-5)
    assert rms(out[:, :4]) / rms(out[:, 4:]) == pytest.approx(4, rel=1e-5)
    out = embedder.set_params(tower_weights={"t": 2.0}).transform(TEXTS).toarray()
    assert rms(out[:, :4]) / rms(out[:, 4:]) == pytest.approx(2, rel=1e-5)


def test_scale_is_that_of_the_texts_of_fit(tower):
    embedder = ComposedEmbedder([("n", FunctionTransformer(lengths)), ("t", tower)]).fit(["a", "b"])
    assert embedder.scales_["n"] == 1.0
    found = embedder.transform(["four"])[:, :2] / (5 / np.sqrt(2))
    assert_allclose(found, [[4, 0]], rtol=1e-6)


def test_scale_is_measured_on_few_texts_from_all_parts():
    log = []
    texts = ["a"] * 6000 + ["a b"] * 6000
    embedder = ComposedEmbedder([("n", Recorder(log))]).fit(texts)
    assert log[1:] == [("transform", ["a", "a b"], None)]
    assert embedder.scales_["n"] == pytest.approx(np.sqrt((1 + (9 + 1)) / 2))
    log.clear()
    embedder.fit([str(i) for i in range(12_000)])
    assert [kind for kind, *_ in log] == ["fit", "transform"]
    assert len(log[1][1]) == 2000


def test_zero_blocks_are_left(tower):
    zero = FunctionTransformer(lambda texts: np.zeros((len(texts), 2)))
    embedder = ComposedEmbedder([("t", tower), ("zero", zero)]).fit(TEXTS)
    assert embedder.scales_["zero"] == 1.0
    assert np.isfinite(embedder.transform(TEXTS)).all()


# what a transformer reads


def test_transformers_read_what_was_checked_and_each_distinct_text_once(tower):
    log = []
    embedder = ComposedEmbedder([("t", tower), ("log", Recorder(log))], missing="empty")
    embedder.fit(np.array(["a", "b c", None, "a"], dtype=object), [1, 0, 1, 0])
    assert log[0] == ("fit", ["a", "b c", "", "a"], [1, 0, 1, 0])
    log.clear()
    out = embedder.transform(["x", "y y", "x"])
    assert log == [("transform", ["x", "y y"], None)]
    assert_array_equal(out[0], out[2])
    assert (out[0] != out[1]).any()


def test_sparse_rows_of_repeated_texts_are_restored(tower):
    embedder = ComposedEmbedder([("t", tower)], lexical=True).fit(TEXTS)
    one, two = embedder.transform(["good", "film"]).toarray()
    assert_allclose(embedder.transform(["film", "good", "film"]).toarray(), [two, one, two])


@pytest.mark.parametrize("truncation", ["window", "warn", "error"])
def test_transformers_read_texts_whole(tower, truncation):
    long = "o" * 30 + " the end"
    embedder = ComposedEmbedder([("t", tower)], lexical="tfidf", truncation=truncation)
    embedder.fit([*TEXTS, long])  # says nothing: it is the tower alone that cuts, in transform
    if truncation == "error":
        with pytest.raises(ValueError, match="1 of 1 texts are longer"):
            embedder.transform([long])
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        out = embedder.transform([long]).toarray()[0]
    assert len(caught) == (truncation == "warn")
    names = list(embedder.get_feature_names_out())
    assert out[names.index("lexical__end")] > 0


def test_labels_reach_a_transformer(tower):
    selected = make_pipeline(CountVectorizer(), SelectKBest(chi2, k=2))
    embedder = ComposedEmbedder([("t", tower), ("best", selected)]).fit(TEXTS, LABELS)
    assert embedder.transform(TEXTS).shape == (len(TEXTS), 6)


# recipe and result


def test_entries_stay_unfitted_and_results_are_kept(tower):
    tfidf = TfidfVectorizer()
    embedder = ComposedEmbedder([("t", tower), ("tfidf", tfidf)]).fit(TEXTS)
    assert not hasattr(tfidf, "vocabulary_")
    assert embedder.towers_[0] == ("t", tower)
    assert embedder.towers_[1][1].vocabulary_.keys() == {*" ".join(TEXTS).replace("a ", "").split()}


def test_clone_forgets_what_was_fitted(tower):
    embedder = ComposedEmbedder([("t", tower), ("tfidf", TfidfVectorizer())]).fit(TEXTS)
    cloned = clone(embedder)
    with pytest.raises(NotFittedError):
        cloned.transform(TEXTS)
    other_texts = ["new words", "and more"]
    names = cloned.fit(other_texts).get_feature_names_out()
    assert list(names[4:]) == ["tfidf__and", "tfidf__more", "tfidf__new", "tfidf__words"]


def test_pickle_gives_the_same(tower):
    embedder = ComposedEmbedder([("t", tower)], lexical=True).fit(TEXTS)
    loaded = pickle.loads(pickle.dumps(embedder))
    assert_array_equal(loaded.transform(TEXTS).toarray(), embedder.transform(TEXTS).toarray())
    assert joblib.hash(clone(loaded)) == joblib.hash(clone(embedder))


def test_frozen_transformer_is_used_as_it_is(tower):
    tfidf = TfidfVectorizer().fit(["only these words"])
    embedder = ComposedEmbedder([("t", tower), ("tfidf", FrozenEstimator(tfidf))])
    names = clone(embedder).fit(TEXTS).get_feature_names_out()
    assert list(names[4:]) == ["tfidf__only", "tfidf__these", "tfidf__words"]


def test_frozen_unfitted_transformer_is_refused(tower):
    frozen = FrozenEstimator(TfidfVectorizer())
    with pytest.raises(NotFittedError, match="TfidfVectorizer"):
        ComposedEmbedder([("t", tower), ("tfidf", frozen)]).fit(TEXTS)


def test_parameters_of_a_transformer_can_be_set(tower):
    embedder = ComposedEmbedder([("t", tower), ("tfidf", TfidfVectorizer())])
    embedder.set_params(tfidf__analyzer="char", tfidf__ngram_range=(3, 3)).fit(TEXTS)
    assert embedder.get_params()["tfidf__ngram_range"] == (3, 3)
    assert {len(name) for name in embedder.get_feature_names_out()[4:]} == {len("tfidf__abc")}
    dropped = embedder.set_params(tfidf="drop").fit(TEXTS)
    assert dropped.transform(TEXTS).shape == (len(TEXTS), 4)
    assert dropped.scales_ == {"t": 1.0}


def test_the_last_tower_may_be_dropped(tower):
    embedder = ComposedEmbedder([("t", tower)], lexical=True).set_params(t="drop").fit(TEXTS)
    assert [name for name, _ in embedder.towers_] == ["lexical"]
    with pytest.raises(ValueError, match="keep at least one"):
        embedder.set_params(lexical=False).fit(TEXTS)


def test_grid_search_over_the_mix(tower):
    pipeline = Pipeline(
        [("cclm", ComposedEmbedder([("t", tower), ("words", TfidfVectorizer())])),
         ("clf", LogisticRegression())]
    )  # fmt: skip
    grid = [
        {"cclm__lexical": [False, True],
         "cclm__tower_weights": [{"lexical": 0.5}, {"lexical": 2.0, "t": 3}]},
        {"cclm__words": ["drop", CountVectorizer()], "cclm__t": ["drop", tower],
         "cclm__lexical": [True]},
        {"cclm__words__ngram_range": [(1, 1), (1, 2)]},
    ]  # fmt: skip
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2, error_score="raise").fit(TEXTS, LABELS)
    assert len(search.cv_results_["params"]) == 10
    assert search.predict(TEXTS).shape == (len(TEXTS),)


def test_pipeline_memory_fits_once(tower, tmp_path):
    embedder = ComposedEmbedder([("t", tower), ("words", TfidfVectorizer())], lexical=True)
    pipeline = make_pipeline(embedder, LogisticRegression(), memory=str(tmp_path))
    grid = {"logisticregression__C": [0.1, 1.0, 10.0]}
    search = GridSearchCV(pipeline, grid, cv=2, refit=False).fit(TEXTS, LABELS)
    assert len(list(tmp_path.rglob("output.pkl"))) == 2
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_trained_and_fitted_in_one_fit():
    parts = [("chars", pretrainer()), ("tfidf", TfidfVectorizer())]
    embedder = ComposedEmbedder(parts, fit_towers=True, lexical="tfidf").fit(TEXTS)
    assert [type(part).__name__ for _, part in embedder.towers_] == [
        "Tower",
        "TfidfVectorizer",
        "TfidfVectorizer",
    ]


def test_failed_fit_leaves_the_embedder_as_it_was(tower):
    embedder = ComposedEmbedder([("t", tower), ("n", FunctionTransformer(lengths))]).fit(TEXTS)
    before = dict(vars(embedder))
    with pytest.raises(ValueError, match="must make a row"):
        embedder.set_params(n=TypoNoise()).fit(TEXTS)
    assert embedder.towers_ is before["towers_"]
    assert embedder.scales_ is before["scales_"]


def test_towers_on_one_base_still_run_it_once(tower, monkeypatch):
    calls, forward = [], NgramBase.forward
    monkeypatch.setattr(
        NgramBase, "forward", lambda self, ids: (calls.append(len(ids)), forward(self, ids))[1]
    )
    parts = [("a", tower), ("words", TfidfVectorizer()), ("b", tower)]
    embedder = ComposedEmbedder(parts).fit(TEXTS)
    calls.clear()
    embedder.transform(TEXTS)
    assert calls == [len(TEXTS)]


# names


def test_names_are_the_transformers_own(tower):
    embedder = ComposedEmbedder([("t", tower), ("words", TfidfVectorizer())]).fit(["one two"])
    names = ["t__0", "t__1", "t__2", "t__3", "words__one", "words__two"]
    assert embedder.get_feature_names_out().tolist() == names
    assert embedder.get_feature_names_out().dtype == object


@pytest.mark.parametrize(
    "nameless",
    [
        FunctionTransformer(lengths),
        make_pipeline(FunctionTransformer(lambda texts: [t[::-1] for t in texts]),
                      CountVectorizer(vocabulary=["olleh", "dlrow"])),
        HashingVectorizer(n_features=2),
    ],
)  # fmt: skip
def test_features_without_names_are_numbered(tower, nameless):
    embedder = ComposedEmbedder([("t", tower), ("n", nameless)]).fit(TEXTS)
    assert embedder.get_feature_names_out()[4:].tolist() == ["n__0", "n__1"]


def test_make_composed_names_a_transformer_after_its_class(tower):
    embedder = make_composed(tower, TfidfVectorizer(), lexical=True).fit(TEXTS)
    names = ["masked_character", "tfidfvectorizer", "lexical"]
    assert [name for name, _ in embedder.towers_] == names


# errors


def test_name_lexical_is_taken(tower):
    with pytest.raises(ValueError, match="Tower name 'lexical' must be .* no parameter"):
        ComposedEmbedder([("lexical", tower)], lexical=True).fit(TEXTS)


@pytest.mark.parametrize("lexical", ["yes", None, 1, TfidfVectorizer()])
def test_lexical_is_one_of_three(tower, lexical):
    with pytest.raises(ValueError, match="lexical=.* must be one of .*tfidf"):
        ComposedEmbedder([("t", tower)], lexical=lexical).fit(TEXTS)


def test_weight_of_nothing_is_refused(tower):
    with pytest.raises(ValueError, match=r"names \['tfidf'\]"):
        ComposedEmbedder([("t", tower)], lexical=True, tower_weights={"tfidf": 1}).fit(TEXTS)


def test_composed_model_has_no_place_for_text_transformers(tower):
    with pytest.raises(TypeError, match=r"'tfidf' is a TfidfVectorizer.*ComposedEmbedder takes it"):
        ComposedModel([("t", tower), ("tfidf", TfidfVectorizer())]).fit(TEXTS)


@pytest.mark.parametrize("entry", [TfidfVectorizer, LogisticRegression(), CCLMModelBase()])
def test_what_is_no_transformer_is_refused(tower, entry):
    with pytest.raises(TypeError, match="Tower 'odd' must be a Tower.*a text transformer"):
        ComposedEmbedder([("t", tower), ("odd", entry)], fit_towers=True).fit(TEXTS)


def test_pretrainer_that_transforms_is_still_a_pretrainer(tower):
    class Transforming(MaskedCharacterPretrainer):
        def transform(self, X):
            return np.array(lengths(X))

    with pytest.raises(ValueError, match="strip of what it learned"):
        ComposedEmbedder([("t", tower), ("task", Transforming())]).fit(TEXTS)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda texts: texts,
        lambda texts: [len(text) for text in texts],
        lambda texts: np.zeros((len(texts) + 1, 2)),
        lambda texts: np.array([[text] for text in texts]),
    ],
)
def test_output_that_is_no_rows_of_numbers_is_refused(tower, wrong):
    with pytest.raises(ValueError, match="Tower 'odd', a FunctionTransformer, must make a row"):
        ComposedEmbedder([("t", tower), ("odd", FunctionTransformer(wrong))]).fit(TEXTS)


def test_infinite_features_are_refused(tower):
    infinite = FunctionTransformer(lambda texts: np.full((len(texts), 2), np.inf))
    with pytest.raises(ValueError, match="features of tower 'odd' are not all finite"):
        ComposedEmbedder([("t", tower), ("odd", infinite)]).fit(TEXTS)


# the conformance suite

CHARS = [("chars", pretrainer(max_example_len=256))]
COUNTS = [("lengths", FunctionTransformer(lengths)), ("words", CountVectorizer(analyzer="char"))]


@parametrize_with_text_checks(
    [ComposedEmbedder(CHARS, fit_towers=True, lexical=True), ComposedEmbedder(COUNTS)]
)
def test_conformance(check):
    check()
