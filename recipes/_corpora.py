"""The text that the published towers learn from: sentences and frequent words of open corpora."""

import gzip
import os
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from _cleaning import LENGTHS, SENTENCE_END

DATA = Path(os.environ.get("CCLM_DATA", "../shared/data"))
SHARES = {
    "self_dialogue": 0.30,
    "dialogues_sgd": 0.25,
    "openstax_ccby": 0.18,
    "ebooks_cc0": 0.12,
    "wikipedia_sentences": 0.10,
    "state_of_the_union": 0.05,
}
LICENCES = {
    "self_dialogue": "BSD-3-Clause",
    "dialogues_sgd": "CC-BY-SA-4.0",
    "openstax_ccby": "CC-BY-4.0",
    "ebooks_cc0": "CC0-1.0",
    "wikipedia_sentences": "CC-BY-SA-4.0",
    "state_of_the_union": "public domain",
}
WORD = re.compile(r"[a-z][a-z'-]+")


def need(name):
    """Return the path of a data file, or end with what to do."""
    path = DATA / name
    if not path.exists():
        sys.exit(f"{path} is missing: set CCLM_DATA to the folder that holds {name}")
    return path


def sentences(name):
    """Return the distinct sentences of a corpus, in its order."""
    with gzip.open(need(f"corpora/{name}.txt.gz"), "rt", encoding="utf-8") as file:
        found = dict.fromkeys(
            sentence for line in file for sentence in SENTENCE_END.split(line.strip())
        )
    return [sentence for sentence in found if len(sentence) in LENGTHS]


def training_texts(n_sentences, n_words, *, seed=0):
    """Return sentences of all corpora by their shares, and the most frequent words, shuffled."""
    rng = np.random.default_rng(seed)
    texts, counts = [], Counter()
    for name, share in SHARES.items():
        own = sentences(name)
        counts.update(word for sentence in own for word in WORD.findall(sentence.lower()))
        chosen = rng.permutation(len(own))[: int(share * n_sentences)]
        texts += [own[row] for row in chosen]
    texts += [word for word, _ in counts.most_common(n_words)]
    texts = list(dict.fromkeys(texts))
    return [texts[row] for row in rng.permutation(len(texts))]
