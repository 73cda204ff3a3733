"""A tower for English, German, French, Spanish, Italian and Portuguese, and what it is worth.

    pip install -r recipes/requirements.txt
    python recipes/european.py --out DIR [--each N] [--epochs N] [--width N] [--buckets N]
                               [--threads N] [--work DIR]

Learns from the N (20,000) most frequent words of each language, of wordfreq, and as many sentences
of the descriptions of Debian's packages and their translations, what the multilingual universal
sentence encoder says of them, misspelt. Then it looks for the English translation of each of some
200 sentences (PUD, read from the folder named by CCLM_DATA, default ../shared/data) among all 200:
table by language, clean and with one letter in ten replaced, beside the teacher and TF-IDF. Nothing
is published: the tower is saved to DIR.
"""

import argparse
import csv
import gzip
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from _corpora import need
from _packages import debian_descriptions, unpacked
from _readers import debian, words
from _teachers import side_by_side, universal
from en_semantic import WORK, scaled
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    ComposedEmbedder,
    DistillationPretrainer,
    PooledConfig,
    TypoNoise,
)

LANGUAGES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian",
             "pt": "Portuguese"}  # fmt: skip
LETTERS = r"[^\W\d_][^\W\d_'-]+"


def texts(work, each):
    """Return words and sentences of all languages, each once."""
    frequencies, found = unpacked(work, "pypi", "wordfreq", "3.1.1"), []
    for language in LANGUAGES:
        found += words(frequencies, n_words=each, language=language, kind=LETTERS)
        described = debian_descriptions(work, language)
        sentences = debian(described, part="description", language=language)
        found += islice((text for text in sentences if 20 <= len(text) <= 300), each)
    return list(dict.fromkeys(found))


def parallel():
    """Return some 200 sentences of each language, which translate each other."""
    codes = {name: language for language, name in LANGUAGES.items()}
    found = {language: {} for language in LANGUAGES}
    with gzip.open(need("langid_pud.csv.gz"), "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["split"] == "test" and row["label"] in codes:
                found[codes[row["label"]]][row["sent_id"]] = row["text"]
    return {language: [own[key] for key in sorted(own)] for language, own in found.items()}


def table(kinds):
    """Print how often the nearest English sentence is the translation."""
    sentences, noise = parallel(), TypoNoise(rate=0.1, random_state=0)
    print(f"| features | {' | '.join(list(LANGUAGES)[1:])} |\n|---{'|---' * 5}|")
    for name, embed in kinds.items():
        english, cells = embed(sentences["en"]), []
        for own in list(sentences.values())[1:]:
            shares = []
            for some in (own, noise.transform(own).tolist()):
                nearest = np.argmax(embed(some) @ english.T, axis=1)
                shares.append(np.mean(nearest == np.arange(len(some))))
            cells.append(" / ".join(f"{share:.2f}" for share in shares))
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main():
    """Run the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--out", type=Path, required=True, help="directory to save the tower to")
    add("--each", type=int, default=20_000, help="words, and sentences, of a language (20,000)")
    add("--epochs", type=int, default=10)
    add("--width", type=int, default=256, help="of the table (256)")
    add("--buckets", type=int, default=2**17, help="its rows (131,072)")
    add("--threads", type=int, default=2)
    add("--work", type=Path, default=WORK)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    own = texts(options.work, options.each)
    vectors = universal(own, options.work, n_jobs=options.threads)
    base = CCLMModelBase(
        CharPreprocessor(max_example_len=320), width=options.width, n_buckets=options.buckets
    )
    tower = PooledConfig(width=options.width, hidden=0)
    fitted = DistillationPretrainer(
        base, tower=tower, max_epochs=options.epochs, random_state=0, verbose=1
    ).fit(own, side_by_side([vectors], options.width))
    scaled(fitted.tower_).save(options.out, dtype="int8")
    tfidf = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    tfidf.fit([text for some in parallel().values() for text in some])
    embedder = ComposedEmbedder([("european", fitted.tower_)])
    asked = universal([text for some in parallel().values() for text in some], options.work)
    mean = normalize(asked.astype(np.float32)).mean(axis=0)

    def teacher(some):
        vectors = normalize(universal(some, options.work).astype(np.float32)) - mean
        return normalize(vectors)

    table({
        "TF-IDF char_wb (2-5)": lambda some: tfidf.transform(some).toarray(),
        "the tower": lambda some: normalize(embedder.transform(some)),
        "the teacher": teacher,
    })  # fmt: skip


if __name__ == "__main__":
    main()
