"""N-grams that the base hashes, counted: what they are, what they weigh, and where they go."""

from collections import Counter

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context, get_config
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import normalize

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    ComposedEmbedder,
    MaskedCharacterPretrainer,
    PooledConfig,
    load,
)
from sklearn_cclm.models import _embedder

TEXTS = ["good film", "bad film", "a good book", "", "no", "Good, good film!", "bad film"]
ORDERS = (2, 3)


def tower_on(**params):
    recipe = CCLMModelBase(width=8, **{"ngram_orders": ORDERS, "n_buckets": 1 << 16, **params})
    tower = PooledConfig(width=4, hidden=4)
    return (
        MaskedCharacterPretrainer(recipe, tower=tower, max_epochs=1, random_state=0)
        .fit(TEXTS)
        .tower_
    )


@pytest.fixture(scope="module")
def tower():
    return tower_on()


def by_hand(texts, fitted_on):
    """Return TF-IDF of n-grams without hashing, in no particular order of columns."""
    names = sorted({gram for text in fitted_on for gram in grams_of(text)})
    column = {name: place for place, name in enumerate(names)}

    def counts(rows):
        found = np.zeros((len(rows), len(names)))
        for row, text in enumerate(rows):
            for gram, n in Counter(grams_of(text)).items():
                if gram in column:
                    found[row, column[gram]] = n
        return sparse.csr_matrix(found)

    weigh = TfidfTransformer(sublinear_tf=True).fit(counts(fitted_on))
    return weigh.transform(counts(texts)).toarray()


def grams_of(text):
    """Return the n-grams that end at each character; before the first stands a mark."""
    marked = "^" * max(ORDERS) + text.casefold()
    first = max(ORDERS)
    return [(n, marked[end - n : end]) for end in range(first + 1, len(marked) + 1) for n in ORDERS]


def columns_sorted(matrix):
    """Return the columns in an order that does not depend on their names."""
    dense = matrix.toarray() if sparse.issparse(matrix) else matrix
    return dense[:, np.lexsort(np.round(dense, 5))]


def lexical_of(tower, **params):
    return ComposedEmbedder([("t", tower)], lexical=True, tower_weights={"t": 0.0}, **params)


def test_features_are_tfidf_of_the_ngrams(tower):
    new = ["a bad book film", "gooood", "", "xyz", "good film"]
    embedder = lexical_of(tower).fit(TEXTS)
    found = embedder.transform(new)[:, 4:]
    norm = 5 / embedder.scales_["lexical"]  # the tower counts nothing
    assert_allclose(columns_sorted(found), norm * columns_sorted(by_hand(new, TEXTS)), atol=1e-5)
    norms = sparse.linalg.norm(found, axis=1)
    assert_allclose(norms, norm * np.array([1, 1, 0, 0, 1]), atol=1e-5)


def test_columns_are_the_buckets_of_fit(tower):
    embedder = lexical_of(tower).fit(TEXTS)
    names = embedder.get_feature_names_out()
    buckets = [int(name.removeprefix("lexical__")) for name in names[4:]]
    assert buckets == sorted(set(buckets))
    assert len(buckets) == by_hand(TEXTS, TEXTS).shape[1]
    assert embedder.transform(["zzz"]).shape == (1, len(names))


def test_repeated_texts_count_in_idf_and_not_in_features(tower):
    once, often = (lexical_of(tower).fit(texts) for texts in (TEXTS, [*TEXTS, "bad film"]))
    idf = [dict(model.towers_)["lexical"].idf for model in (once, often)]
    assert not np.array_equal(*idf)
    out = often.transform(["bad film", "no", "bad film"]).toarray()
    assert_array_equal(out[0], out[2])


@pytest.mark.parametrize("add_cls", [False, True])
def test_a_long_text_counts_as_a_whole(add_cls):
    long = "good film and a bad book, " * 5
    whole, cut = (
        lexical_of(
            tower_on(preprocessor=CharPreprocessor(max_example_len=length, add_cls=add_cls))
        ).fit([*TEXTS, long])
        for length in (256, 48)
    )
    expected, found = (model.transform([long, "no", long + "!"])[:, 4:] for model in (whole, cut))
    assert_allclose(
        columns_sorted(found / found.max()), columns_sorted(expected / expected.max()), atol=1e-5
    )


def test_batches_do_not_matter(tower):
    texts = [*TEXTS, *(f"some text {i} of {'many ' * (i % 7)}" for i in range(60))]
    one = lexical_of(tower).fit(texts)
    many = lexical_of(tower, batch_chars=40).fit(texts)
    assert_array_equal(one.transform(texts).toarray(), many.transform(texts).toarray())


@pytest.mark.parametrize("towers", [{}, {"words": CountVectorizer()}])
def test_groups_of_texts_do_not_matter(tower, towers, monkeypatch):
    embedder = ComposedEmbedder([("one", tower), *towers.items()], lexical=True).fit(TEXTS)
    expected = embedder.transform(TEXTS)
    monkeypatch.setattr(_embedder, "_AT_ONCE", 10)
    assert_allclose(embedder.transform(TEXTS).toarray(), expected.toarray(), atol=1e-6)


def test_no_texts(tower):
    out = lexical_of(tower).fit(TEXTS).transform([])
    assert out.shape == (0, len(lexical_of(tower).fit(TEXTS).get_feature_names_out()))


def test_the_base_runs_once(tower, monkeypatch):
    from sklearn_cclm.nn.embedding import NgramBase

    calls = []
    rows = NgramBase.rows
    monkeypatch.setattr(NgramBase, "rows", lambda *a, **k: calls.append(1) or rows(*a, **k))
    embedder = ComposedEmbedder([("t", tower)], lexical=True).fit(TEXTS)
    calls.clear()
    embedder.transform(TEXTS)
    assert len(calls) == 1


def test_a_base_without_ngrams_is_refused():
    bare = tower_on(n_buckets=0)
    with pytest.raises(ValueError, match="lexical='tfidf'"):
        lexical_of(bare).fit(TEXTS)


def test_without_towers_the_published_base_counts(tower):
    embedder = ComposedEmbedder([("t", "drop")], lexical=True).fit(TEXTS)
    assert [name for name, _ in embedder.towers_] == ["lexical"]
    assert embedder.transform(TEXTS).shape[0] == len(TEXTS)


def test_saved_and_loaded(tower, tmp_path):
    embedder = ComposedEmbedder([("t", tower)], lexical=True, tower_weights={"lexical": 2.0}).fit(
        TEXTS
    )
    embedder.save(tmp_path / "both")
    loaded = load(tmp_path / "both")
    assert_array_equal(loaded.transform(TEXTS).toarray(), embedder.transform(TEXTS).toarray())
    assert_array_equal(loaded.get_feature_names_out(), embedder.get_feature_names_out())
    assert dict(loaded.towers_)["lexical"].base is loaded.towers_[0][1].base
    again = joblib.load(joblib.dump(embedder, tmp_path / "pickle")[0])
    assert_array_equal(again.transform(TEXTS).toarray(), embedder.transform(TEXTS).toarray())


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("idf", -1.0), ("scale", -1.0), ("scale", 0.0), ("components", 5)],
)
def test_what_is_forged_is_refused(tower, tmp_path, attribute, value):
    embedder = ComposedEmbedder([("t", tower)], lexical=True, n_components=3).fit(TEXTS)
    if attribute == "idf":
        dict(embedder.towers_)["lexical"].idf[3] = value
    elif attribute == "scale":
        embedder.scales_["lexical"] = value
    else:
        embedder.reduction_.components = embedder.reduction_.components[:, :value]
    with pytest.raises(ValueError, match="positive|projected"):
        embedder.save(tmp_path / "forged")


# few dense features


@pytest.mark.parametrize("lexical", [False, True, "tfidf"])
def test_components_are_those_of_a_truncated_svd(tower, lexical):
    features = ComposedEmbedder([("t", tower)], lexical=lexical)
    reduced = clone(features).set_params(n_components=3).fit(TEXTS)
    everything = features.fit_transform(TEXTS)
    expected = TruncatedSVD(3, random_state=0).fit(everything).transform(everything)
    out = reduced.transform(TEXTS)
    assert isinstance(out, np.ndarray)
    assert out.dtype == np.float32
    assert_allclose(out, expected, atol=1e-5)
    assert reduced.get_feature_names_out().tolist() == [
        "component__0",
        "component__1",
        "component__2",
    ]


def test_more_components_than_there_are_are_zeros(tower):
    out = ComposedEmbedder([("t", tower)], lexical=True, n_components=30).fit_transform(TEXTS[:2])
    assert out.shape == (2, 30)
    assert (out[:, 2:] == 0).all()
    assert np.isfinite(out).all()


def test_components_are_saved_and_loaded(tower, tmp_path):
    for lexical in (False, True):
        embedder = ComposedEmbedder([("t", tower)], lexical=lexical, n_components=3).fit(TEXTS)
        embedder.save(tmp_path / str(lexical))
        loaded = load(tmp_path / str(lexical))
        assert loaded.n_components == 3
        assert_array_equal(loaded.transform(TEXTS), embedder.transform(TEXTS))


def test_components_go_where_dense_features_must(tower):
    embedder = ComposedEmbedder([("t", tower)], lexical=True, n_components=3)
    frame = clone(embedder).set_output(transform="pandas").fit_transform(TEXTS)
    assert list(frame.columns) == ["component__0", "component__1", "component__2"]
    labels = [1, 0, 1, 0, 1, 1, 0]
    trees = make_pipeline(embedder, HistGradientBoostingClassifier(min_samples_leaf=1))
    assert trees.fit(TEXTS, labels).predict(TEXTS).shape == (7,)


@pytest.mark.parametrize("n_components", [0, 1.5, "3", True])
def test_bad_number_of_components(tower, n_components):
    with pytest.raises(ValueError, match="n_components=.* must be an integer of at least 1"):
        ComposedEmbedder([("t", tower)], n_components=n_components).fit(TEXTS)


@pytest.mark.skipif(
    "sparse_interface" not in get_config(), reason="scikit-learn 1.9 asks for an interface"
)
def test_sparse_output_is_of_the_interface_asked_for(tower):
    embedder = ComposedEmbedder([("t", tower)], lexical=True).fit(TEXTS)
    assert sparse.isspmatrix_csr(embedder.transform(TEXTS))
    with config_context(sparse_interface="sparray"):
        out = embedder.transform(TEXTS)
    assert isinstance(out, sparse.csr_array)
    assert_array_equal(out.toarray(), embedder.transform(TEXTS).toarray())
    assert_allclose(normalize(out).sum(), normalize(embedder.transform(TEXTS)).sum())


def test_contents_are_the_ngrams_that_the_columns_count(tower):
    embedder = lexical_of(tower).fit(TEXTS)
    held = np.array([gram.casefold() for gram in embedder.lexical_contents(TEXTS)])
    for text in TEXTS:
        columns = embedder.transform([text])[:, 4:].indices
        assert {*held[columns]} == {gram for _, gram in grams_of(text)}
    assert {*embedder.lexical_contents(["zzz"])} == {""}


def test_contents_of_a_long_text_and_of_bases_with_a_first_position():
    reading = CharPreprocessor(max_example_len=9, add_cls=True)
    embedder = lexical_of(tower_on(preprocessor=reading)).fit(["Good", "abcdefghijklmnop"])
    held = embedder.lexical_contents(["Good", "abcdefghijklmnop"])
    assert {"Goo", "ood", "hij", "^Go"} <= {*held}


def test_contents_need_counted_ngrams(tower):
    for embedder in (ComposedEmbedder([("t", tower)]), ComposedEmbedder([("t", tower)]).fit(TEXTS)):
        with pytest.raises(ValueError, match="counts no hashed n-grams"):
            embedder.lexical_contents(TEXTS)


def test_what_was_learned_hashes_alike_when_it_is_memory_mapped(tmp_path):
    embedder = ComposedEmbedder([("a", tower_on())], lexical=True, n_components=2).fit(TEXTS)
    mapped = joblib.load(joblib.dump(embedder, tmp_path / "pickle")[0], mmap_mode="r")
    assert joblib.hash(mapped) == joblib.hash(embedder)
    assert_array_equal(mapped.transform(TEXTS), embedder.transform(TEXTS))


def test_blank_texts_have_no_ngrams(tower):
    embedder = lexical_of(tower).fit([""])
    assert embedder.transform(["a film", ""]).shape == (2, 4)
