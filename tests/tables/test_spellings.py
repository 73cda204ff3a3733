"""Similar values of columns: found, grouped and joined, by spelling and by meaning."""

import numpy as np
import pandas as pd
import pytest

from sklearn_cclm.tables import deduplicate, match, similar

TITLES = ["police officer", "police sergeant", "firefighter", "librarian", "bus operator"]


def test_the_most_similar_values_come_first():
    values, similarities = similar(pd.Series([*TITLES, None]), ["polcie officer", "fireman"])
    assert values.shape == similarities.shape == (2, 5)
    assert values[:, 0].tolist() == ["police officer", "firefighter"]
    assert (np.diff(similarities) <= 0).all()
    assert sorted(values[0]) == sorted(TITLES)
    same = similar(TITLES, TITLES, n_neighbors=1)
    assert same[0][:, 0].tolist() == TITLES
    np.testing.assert_allclose(same[1], 1, atol=1e-5)


@pytest.mark.parametrize("meaning", [0.0, 0.25, 1.0])
def test_equal_values_have_similarity_1_and_match_at_it(meaning):
    sides, kinds = ("north", "south", "green", "old"), ("river", "castle", "bridge", "market")
    names = [f"{side} {kind}" for side in sides for kind in kinds]
    rows, similarities = match(names, names, min_similarity=1, meaning=meaning)
    assert rows.tolist() == list(range(len(names)))
    assert similarities.max() <= 1
    assert similar(names, names, meaning=meaning)[1].max() <= 1


@pytest.mark.filterwarnings("error:Of .* texts")
@pytest.mark.parametrize("find", [similar, match])
def test_texts_of_whose_meaning_nothing_is_known_are_told(find):
    cherokee = ["\u13a0\u13a1", "\u13a2\u13a3"]
    for given in ((cherokee, TITLES), (TITLES, cherokee)):
        with pytest.raises(UserWarning, match="unseen in training: 2"):
            find(*given, meaning=0.5)
        find(*given, meaning=0.0)
    with pytest.raises(UserWarning, match="unseen in training: 2"):
        deduplicate(cherokee)


def test_meaning_finds_what_spelling_does_not():
    column = ["bus driver", "bass player", "nurse"]
    by_meaning, _ = similar(column, ["hospital care"], n_neighbors=1, meaning=1.0)
    assert by_meaning.tolist() == [["nurse"]]
    _, by_spelling = similar(column, ["xyzzy"], meaning=0.0)
    assert not by_spelling.any()


def test_a_text_does_not_depend_on_those_beside_it():
    _, alone = similar(TITLES, ["bus operater"])
    _, beside = similar(TITLES, ["something else", "bus operater", "bus operater"])
    np.testing.assert_allclose(beside[1:], np.repeat(alone, 2, axis=0), atol=1e-5)


def test_spellings_become_the_most_frequent_one():
    column = ["librarian"] * 3 + ["libarian", "librarain", "police officer", None, " "]
    expected = ["librarian"] * 5 + ["police officer", None, None]
    assert deduplicate(column, min_similarity=0.3).tolist() == expected
    assert deduplicate(column, min_similarity=1.0).tolist()[:6] == column[:6]
    assert len(set(deduplicate(column[:6], min_similarity=0.0))) == 1


def test_the_similarity_that_tells_clusters_apart_is_found():
    assert deduplicate(["one", "one", None]).tolist() == ["one", "one", None]
    rng = np.random.default_rng(0)
    titles = [*TITLES[1:], "social worker", "accountant"]
    swapped = [
        title[:i] + title[i + 1] + title[i] + title[i + 2 :]
        for title in titles
        for i in rng.integers(1, len(title) - 2, size=2)
    ]
    found = deduplicate([*titles * 3, *swapped])
    assert found.tolist() == [*titles * 3, *np.repeat(titles, 2)]


def test_equal_counts_take_the_first_spelling():
    found = deduplicate(["librarian", "librarain"], min_similarity=0.3)
    assert set(found) == {"librarain"}


def test_rows_are_matched_and_the_rest_is_not():
    rows, similarities = match(
        ["Librarian", None, "chess", "polise officer"], [*TITLES, "librarian"], meaning=0.0
    )
    assert rows.tolist() == [3, -1, -1, 0]
    assert similarities[1] == 0
    assert similarities[0] > similarities[3] > 0.5 > similarities[2]
    rows, _ = match(["chess"], TITLES, min_similarity=0.0)
    assert rows[0] >= 0


def test_a_join_of_frames():
    left = pd.DataFrame({"name": ["Galt Field Airport", "Kent State Airport"]})
    right = pd.DataFrame({"name": ["Kent State University", "Galt"], "code": ["1G3", "10C"]})
    rows, _ = match(left["name"], right["name"], min_similarity=0.3)
    assert right["code"].iloc[rows].tolist() == ["10C", "1G3"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: similar(TITLES, ["a"], n_neighbors=0), "n_neighbors=0"),
        (lambda: similar(TITLES, ["a"], meaning=2), "meaning=2"),
        (lambda: similar([None, ""], ["a"]), "column has no text .* its 2 rows"),
        (lambda: similar([], ["a"]), "column has no text .* its 0 rows"),
        (lambda: match(["a"], []), "right has no text .* its 0 rows: pass at least one"),
        (lambda: match([], [None]), "right has no text .* its 1 rows"),
        (lambda: match(["a"], "b"), "right: An iterable of texts is expected"),
        (lambda: deduplicate(TITLES, min_similarity=-1), "min_similarity=-1"),
    ],
)
def test_errors_say_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_argument_of_another_type_is_named():
    with pytest.raises(TypeError, match="left: Text 0 is not a str but int"):
        match([1], TITLES)


def test_no_rows_match_nothing():
    rows, similarities = match([], TITLES)
    assert (rows.shape, rows.dtype.kind, similarities.shape) == ((0,), "i", (0,))
    assert similar(TITLES, [])[0].shape == (0, 5)


@pytest.mark.parametrize("column", [[], [None, " "]], ids=["no rows", "all missing"])
def test_what_has_no_value_has_no_spelling(column):
    assert deduplicate(column).tolist() == [None] * len(column)
