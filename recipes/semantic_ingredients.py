"""What each ingredient of "en-semantic" brings alone, in short trainings on a screen.

    python recipes/semantic_ingredients.py [--texts FILE] [--most N] [--epochs N] [--work DIR]
                                           [--only WORD]

Learns from N (60,000) texts of the corpus, and prints for each change the accuracy of a logistic
regression on 5 and 10 labels of each class of training splits (`_screen.py`), on clean text, with
10 % of the letters mistyped, and with misspelt words: of the tower alone, and beside the counts of
its base's n-grams. Teachers are asked about texts that `en_semantic.py` has not asked about yet.
"""

import argparse
import gzip
import time
from functools import cache
from pathlib import Path

import torch
from _cleaning import normalised, sentences
from _corpora import DATA, attested_typos
from _screen import SETS, screen, setting
from _teachers import minilm, side_by_side, universal
from en_semantic import KINDS, SLIPS, corpus

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    ComposedEmbedder,
    DistillationPretrainer,
    PooledConfig,
    TypoNoise,
)
from sklearn_cclm.models._inference import distinct, features
from sklearn_cclm.models._lexical import Lexical

OLD = ("self_dialogue", "dialogues_sgd", "openstax_ccby", "ebooks_cc0", "wikipedia_sentences",
       "state_of_the_union")  # fmt: skip
TRIALS = {
    "as published": {},
    "text: six corpora alone": {"old": True},
    "teacher: all-MiniLM-L6-v2 alone": {"teachers": (0,)},
    "teacher: universal sentence encoder alone": {"teachers": (1,)},
    "loss: similarities in the batch too": {"relational": 3.0},
    "noise: none": {"noise": None},
    "table: 131,072 x 128": {"width": 128},
    "table: 65,536 x 576": {"width": 576, "buckets": 2**16},
    "a hidden layer of 512": {"hidden": 512},
    "three times the passes": {"times": 3},
}


@cache
def old_texts():
    """Return the normalised sentences of the six corpora of CCLM_DATA."""
    files = (gzip.open(DATA / "corpora" / f"{name}.txt.gz", "rt", encoding="utf-8") for name in OLD)
    return {normalised(one) for file in files for line in file for one in sentences(line)}


def learn(options, *, old=False, teachers=(0, 1), relational=0.0, noise="as published", width=288,
          buckets=2**17, hidden=0, times=1):  # fmt: skip
    """Return a tower that learned from few texts."""
    texts = corpus(options.texts, None)
    if old:
        texts = [text for text in texts if normalised(text) in old_texts()]
    texts = texts[: options.most]
    asked = [minilm(texts, options.work), universal(texts, options.work)]
    vectors = side_by_side([asked[place] for place in teachers], width)
    if noise is not None:
        noise = TypoNoise(KINDS, rate=SLIPS, typos=attested_typos())
    base = CCLMModelBase(CharPreprocessor(max_example_len=320), width=width, n_buckets=buckets)
    tower = PooledConfig(width=width, hidden=hidden)
    return (
        DistillationPretrainer(
            base, tower=tower, noise=noise, relational=relational,
            max_epochs=options.epochs * times, random_state=0, validation_fraction=0.0,
        )
        .fit(texts, vectors)
        .tower_
    )  # fmt: skip


def worth(tower, settings):
    """Return the accuracies of the screen."""
    alone = ComposedEmbedder([("own", tower)])
    everything = Lexical.counting(tower.base)

    def embed(texts):
        return torch.as_tensor(alone.transform(texts))

    def lexical(texts):
        once, places = distinct(texts)
        return features(once, [], everything, n_rows=0, **alone._how())[1][places]

    return screen(settings, embed, lexical, device="cpu")


def main():
    """Print a row for each trial."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    work = Path(__file__).parent / ".work"
    parser.add_argument("--texts", type=Path, default=work / "corpus" / "texts.txt.xz")
    parser.add_argument("--most", type=int, default=60_000, help="texts (60,000)")
    parser.add_argument("--epochs", type=int, default=4, help="passes (4)")
    parser.add_argument("--work", type=Path, default=work)
    parser.add_argument("--only", default="", help="trials whose name has this word")
    options = parser.parse_args()
    settings = [setting(*where) for where in SETS.values()]
    print("| | alone | beside n-grams | seconds |\n|---|---|---|---|")
    for name, changes in TRIALS.items():
        if options.only not in name:
            continue
        start = time.perf_counter()
        tower = learn(options, **changes)
        seconds = time.perf_counter() - start
        found = worth(tower, settings)
        cells = (" / ".join(f"{value:.3f}" for value in found[part]) for part in found)
        print(f"| {name} | {' | '.join(cells)} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
