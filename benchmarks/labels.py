"""What a few labels add where a tower adapts to one's own text: a supervised term in distillation.

    pip install -r benchmarks/requirements.txt
    python benchmarks/labels.py [--sets NAME ...] [--labels N] [--weights W ...] [--minutes M]
                                [--threads N]

Reads sets from the folder in the environment variable CCLM_DATA (default ../shared/data). The
vectors to match are those of "en-semantic" beside a latent semantic analysis of the texts, as
`DistillationPretrainer().fit(texts)` takes them, and beside them W times the class of each text
that has a label (N of each class, first draw), one column a class; such texts come five times.
W=0 is no supervised term. The tower stands alone, or beside "en-semantic" and its n-grams, before a
logistic regression on the same labels. Test text is clean, or has 10 or 20 % of its letters
replaced by a neighbour on the keyboard.
"""

import argparse

import numpy as np
import torch
from _data import few_per_class
from published import SETS, STRENGTH, read_set
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, OneHotEncoder, normalize

from sklearn_cclm import ComposedEmbedder, DistillationPretrainer, TypoNoise

RATES = (0.0, 0.1, 0.2)
TIMES = 5  # that a text with a label is learned from


def meaning(texts):
    """Return vectors of texts: of the published tower, and of an analysis of these texts."""
    analysis = make_pipeline(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
        TruncatedSVD(256, random_state=0),
    )
    published = ComposedEmbedder([("en", "en-semantic")])
    return normalize(np.hstack([normalize(x.fit_transform(texts)) for x in (published, analysis)]))


def adapted(texts, vectors, labels, rows, *, weight, minutes):
    """Return a tower that learned from texts, and from the labels of some of them."""
    classes = np.zeros((len(texts), len(set(labels))), dtype=np.float32)
    few = [[labels[row]] for row in rows]
    classes[rows] = OneHotEncoder(sparse_output=False).fit_transform(few)
    wanted = np.hstack([vectors, weight * classes]) if weight else vectors
    order = np.concatenate([np.arange(len(texts)), np.repeat(rows, TIMES - 1)])
    own = DistillationPretrainer(max_minutes=minutes, random_state=0)
    return own.fit([texts[row] for row in order], wanted[order]).tower_


def accuracies(embedder, train, rows, tests, truth):
    """Return the accuracy on each test set."""
    model = make_pipeline(embedder, Normalizer(), LogisticRegression(C=STRENGTH, max_iter=300))
    texts, labels = ([part[row] for row in rows] for part in train)
    model.fit(texts, labels)
    return [model.score(test, truth) for test in tests]


def main():
    """Print the accuracies with and without a supervised term."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sets = ["banking77", "trec", "emotion"]
    parser.add_argument("--sets", nargs="+", choices=SETS, default=sets)
    parser.add_argument("--labels", type=int, default=10, help="of a class (10)")
    parser.add_argument("--weights", type=float, nargs="+", default=[0, 0.5, 1], help="(0 .5 1)")
    parser.add_argument("--minutes", type=float, default=1, help="of adapting (1)")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (2)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print("| set | weight | alone | beside the default |\n|---|---|---|---|")
    for name in options.sets:
        train, (texts, truth) = read_set(*SETS[name])
        tests = [TypoNoise(rate=rate, random_state=0).transform(texts) for rate in RATES]
        rows, vectors = few_per_class(train[1], options.labels, 0), meaning(train[0])
        for weight in options.weights:
            own = adapted(train[0], vectors, train[1], rows, weight=weight, minutes=options.minutes)
            forms = [("own", own)], [("own", own), ("published", "en-semantic")]
            found = [
                accuracies(
                    ComposedEmbedder(towers, lexical=len(towers) > 1), train, rows, tests, truth
                )
                for towers in forms
            ]
            cells = [" / ".join(f"{value:.3f}" for value in row) for row in found]
            print(f"| {name} | {weight:g} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
