"""Rebuild the published tower "en-mlm": masked language modelling on the base of "en-semantic".

    pip install -r recipes/requirements.txt
    python recipes/en_mlm.py --shelf DIR [--texts FILE] [--most N] [--epochs N] [--threads N]
                             [--dtype DTYPE] [--work DIR]

The shelf in the directory --shelf holds "en-semantic" already; its base stays as it is. Reads what
`en_corpus.py` wrote, of which the last N texts, and labelled sets in the folder named by the
environment variable CCLM_DATA (default ../shared/data). The state of the training is kept in
--work: after a crash the same command goes on.
"""

import argparse
import time
from pathlib import Path

import torch
from _evaluate import RATES, curves
from en_semantic import corpus, licences

from sklearn_cclm import (
    MaskedLanguagePretrainer,
    MLMPreprocessor,
    Shelf,
    StridedConfig,
    Tower,
    TypoNoise,
)
from sklearn_cclm.shelf import Curve

N_HELD_OUT = 2000


def pretrainer(base, options):
    """Return the unfitted pretrainer."""
    return MaskedLanguagePretrainer(
        base,
        tower=StridedConfig(width=128, n_layers=2),
        preprocessor=MLMPreprocessor(vocab_size=8000),
        noise=TypoNoise(rate=(-0.1, 0.2)),
        max_epochs=options.epochs,
        checkpoint=options.work / "checkpoint-mlm",
        checkpoint_every=500,
        random_state=0,
        verbose=1,
    )


def curve(fitted, texts):
    """Return the mean log-likelihood of held-out tokens, by rate of slips."""
    noises = [TypoNoise(rate=rate) if rate else None for rate in RATES]
    scores = [fitted.set_params(noise=noise).score(texts) for noise in noises]
    return Curve(
        "held-out sentences of the corpus", "mean log-likelihood of a masked token",
        "slips of the keyboard, share of letters", RATES, tuple(round(s, 4) for s in scores),
    )  # fmt: skip


def main():
    """Run the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    work = Path(__file__).parent / ".work"
    parser.add_argument(
        "--texts", type=Path, default=work / "corpus" / "texts.txt.xz", help="a text a line"
    )
    parser.add_argument("--most", type=int, default=100_000, help="to learn from (100,000)")
    parser.add_argument("--epochs", type=int, default=2, help="passes (2)")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (2)")
    parser.add_argument("--dtype", default="int8", help="how weights are stored (int8)")
    parser.add_argument("--work", type=Path, default=work)
    parser.add_argument("--shelf", type=Path, required=True, help="directory to publish to")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    shelf = Shelf(options.shelf)
    texts = corpus(options.texts, None)[-options.most :]
    start = time.perf_counter()
    fitted = pretrainer(shelf.fetch("en-semantic").base, options).fit(
        texts[N_HELD_OUT:], validation=texts[:N_HELD_OUT]
    )
    seconds = time.perf_counter() - start
    stored = options.work / "stored-mlm"
    fitted.tower_.save(stored, dtype=options.dtype)
    fitted.tower_ = Tower.load(stored)
    entry = shelf.publish(
        fitted.tower_,
        "en-mlm",
        licence="CC-BY-SA-4.0",
        corpora=licences(),
        recipe=f"recipes/en_mlm.py, {len(texts):,} texts x {options.epochs}, {seconds:.0f} s",
        metrics=[curve(fitted, texts[:N_HELD_OUT]), *curves(fitted.tower_)],
        dtype=options.dtype,
        language="en",
        limits="It learned from English alone, and how words stand beside each other.",
        base_in="en-semantic",
    )
    print(f"published {entry.pinned}, {entry.size:,} bytes: {entry.metrics}")


if __name__ == "__main__":
    main()
