"""Rebuild the published tower "en-semantic": two teachers' meaning, in a bag of n-grams.

    pip install -r recipes/requirements.txt
    python recipes/en_semantic.py learn --texts FILE --mpnet DIR --out DIR [--minutes N]
    python recipes/en_semantic.py publish --out DIR --shelf DIR

`learn` asks the teachers about the texts and trains the student: ten minutes on a machine with a
GPU and 16 cores. FILE holds a text a line, as `en_corpus.py` writes them; DIR of --mpnet is the
folder of all-mpnet-base-v2. The teachers' vectors are kept in --work. With --trials, shorter
trainings come first, which show what each ingredient brings on a screen of training splits with
few labels. `publish` makes the tower of what `learn` left in --out, measures it and publishes it to
--shelf. The labelled sets are read from the folder named by the environment variable CCLM_DATA
(default ../shared/data).
"""

import argparse
import csv
import gzip
import json
import lzma
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from _corpora import LICENCES, need
from _evaluate import RATES, curves
from _screen import SETS, screen, setting
from _student import Student, readers, train
from _teachers import TEACHERS, mpnet, side_by_side, universal
from sklearn.preprocessing import normalize

from sklearn_cclm import (
    Base,
    CharPreprocessor,
    ComposedEmbedder,
    PooledConfig,
    Shelf,
    Tower,
    TypoNoise,
)
from sklearn_cclm.nn import NgramConfig
from sklearn_cclm.shelf import Curve
from sklearn_cclm.values._base import folded_codes

HELD_OUT = 5000  # texts
LENGTH = 320  # characters that the base reads at once
NORM = 5.0
KINDS = {"typos": 1, "slip": 3, "swap": 1, "drop": 1, "insert": 1, "repeat": 0.5, "space": 0.5,
         "case": 0.5}  # fmt: skip
TRIALS = {
    "as published": {},
    "six corpora alone": {"old": True},
    "all-mpnet-base-v2 alone": {"teachers": 1},
    "loss: similarities in the batch": {"loss": "cosine+gram"},
    "loss: contrast in the batch": {"loss": "cosine+contrast"},
    "65,536 x 384": {"n_buckets": 2**16, "width": 384},
    "65,536 x 576": {"n_buckets": 2**16, "width": 576},
    "131,072 x 192": {"width": 192},
    "rate 2e-3": {"lr": 2e-3},
    "rate 1e-2": {"lr": 1e-2},
}


def attested_typos():
    """Return (typo, word) pairs collected from Reddit and Wikipedia."""
    with gzip.open(need("typos_reddit_wikipedia.csv.gz"), "rt", encoding="utf-8") as file:
        return [(row["typo"], row["correction"]) for row in csv.DictReader(file)]


def asked(texts, options):
    """Return the teachers' vectors of texts, from --work if they are there."""
    options.work.mkdir(parents=True, exist_ok=True)
    paths = [options.work / f"{name}-{len(texts)}.npy" for name in ("mpnet", "universal")]
    if not all(path.exists() for path in paths):
        start, wait = time.perf_counter(), universal(texts)
        np.save(paths[0], mpnet(texts, options.mpnet, device=options.device))
        print(f"all-mpnet-base-v2: {time.perf_counter() - start:.0f} s", flush=True)
        np.save(paths[1], wait())
        print(f"both teachers: {time.perf_counter() - start:.0f} s", flush=True)
    return [np.load(path) for path in paths]


class Lab:
    """What all trainings share: texts, vectors, readers and the screen."""

    def __init__(self, options):
        self.options = options
        with lzma.open(options.texts, "rt", encoding="utf-8") as file:
            self.texts = [line.rstrip("\n") for line in file][: options.most]
        self.preprocessor = CharPreprocessor(max_example_len=1200).fit(self.texts)
        noise = TypoNoise(KINDS, rate=(-0.1, 0.3), typos=attested_typos())
        self.pool = readers(self.texts, noise, self.preprocessor)
        self.vectors = asked(self.texts, options)
        self.settings = [setting(*where) for where in SETS.values()]
        self.held_out = np.arange(HELD_OUT)
        self.train = np.arange(len(self.held_out), len(self.texts))
        self.counted = {}

    def learn(self, seconds, *, n_buckets, width, teachers=2, old=False, loss, lr, curve=None):
        """Return a trained student, and what it is worth."""
        targets = side_by_side(self.vectors[:teachers], width).to(self.options.device)
        rows = self.train
        if old:
            known = np.unpackbits(np.load(self.options.old))[: len(self.texts)].astype(bool)
            rows = rows[known[rows]]
        folded = folded_codes(self.preprocessor.vocabulary_)
        torch.manual_seed(0)
        student = Student(folded, n_buckets, width).to(self.options.device)
        shown = 0.0
        for share, value, seen in train(
            student, targets, self.pool, rows=rows, seconds=seconds, loss=loss, lr=lr
        ):
            if curve is not None and share >= shown:
                cosine = self.cosine(student, targets)
                curve.append({"share": share, "loss": value, "texts": seen, "cosine": cosine})
                print(curve[-1], flush=True)
                shown += 0.1
        worth = {"texts": seen, "cosine": self.cosine(student, targets), **self.worth(student)}
        return student, worth

    def cosine(self, student, targets):
        """Return the mean cosine to the teachers on held-out texts, clean."""
        own = student.embed([self.texts[row] for row in self.held_out])
        wanted = targets[: len(own)].float()
        return round(float(torch.cosine_similarity(own, wanted).mean()), 4)

    def worth(self, student):
        """Return the accuracies of the screen."""
        memory = self.counted.setdefault(student.n_buckets, {})

        def lexical(texts):
            key = (len(texts), texts[0], texts[-1])
            if key not in memory:
                memory[key] = student.count(texts)
            return memory[key]

        return screen(self.settings, student.embed, lexical, device=self.options.device)


def stored(student, lab, out):
    """Write a student as int8 rows with a scale each, in files of less than 16 MB."""
    out.mkdir(parents=True, exist_ok=True)
    texts = [lab.texts[row] for row in lab.held_out]
    targets = side_by_side(lab.vectors, student.table.shape[1])[: len(texts)]
    np.savez_compressed(out / "held_out.npz", texts=np.array(texts), vectors=targets.cpu().numpy())
    table = student.table.detach().cpu().numpy()
    table[0] = 0
    scales = np.abs(table).max(axis=1) / np.float32(127)
    multiples = np.rint(table / np.where(scales > 0, scales, 1)[:, None]).astype(np.int8)
    for number, piece in enumerate(np.array_split(multiples, 3)):
        np.save(out / f"table{number}.npy", piece)
    norm = [part.detach().cpu().numpy() for part in (student.norm.weight, student.norm.bias)]
    np.savez(out / "rest.npz", scales=scales, norm=np.stack(norm), n_buckets=student.n_buckets,
             vocabulary=np.array(lab.preprocessor.vocabulary_))  # fmt: skip


def device_name(device):
    """Return what a device is called."""
    return torch.cuda.get_device_name() if device == "cuda" else "a CPU"


def learn(options):
    """Train, with trials before if asked for."""
    lab = Lab(options)
    usual = {"n_buckets": options.buckets, "width": options.width, "loss": options.loss,
             "lr": options.lr}  # fmt: skip
    report = {"trials": {}, "curve": []}
    for name in TRIALS if options.trials == ["all"] else options.trials:
        start = time.perf_counter()
        _, worth = lab.learn(options.trial_seconds, **{**usual, **TRIALS[name]})
        report["trials"][name] = worth
        print(f"{name}: {worth}, {time.perf_counter() - start:.0f} s in all", flush=True)
    student, report["published"] = lab.learn(60 * options.minutes, **usual, curve=report["curve"])
    print("published:", report["published"], flush=True)
    report["recipe"] = (
        f"{len(lab.texts):,} texts, {report['published']['texts']:,} misspelt readings in "
        f"{options.minutes:g} minutes on {device_name(options.device)}"
    )
    stored(student, lab, options.out)
    (options.out / "report.json").write_text(json.dumps(report, indent=1))


def tower_of(folder):
    """Return the tower of what `stored` wrote, its vectors of norm 5.

    They learned their directions alone; at this norm a `LogisticRegression()` as it is does about
    as well as one of the best strength.
    """
    rest = np.load(folder / "rest.npz")
    multiples = np.concatenate([np.load(folder / f"table{number}.npy") for number in range(3)])
    table = multiples * rest["scales"][:, None]
    width, n_buckets = table.shape[1], int(rest["n_buckets"])
    scale, shift = NORM / np.sqrt(np.square(rest["norm"]).sum()) * rest["norm"]
    base = Base(
        architecture="ngram",
        config=asdict(NgramConfig(width=width, n_buckets=n_buckets)),
        weights={"table.weight": table},
        vocabulary=str(rest["vocabulary"]),
        reading={"max_example_len": LENGTH, "normalization": None, "add_cls": False},
    )
    return Tower(
        base=base,
        architecture="pooled",
        config=asdict(PooledConfig(width=width, hidden=0)),
        weights={"norm.weight": scale, "norm.bias": shift},
        task="distillation",
    )


def curve(tower, texts, wanted):
    """Return the mean cosine to the teachers' vectors of the clean texts, by rate of slips."""
    embedder = ComposedEmbedder([("own", tower)]).fit(texts[:1])
    wanted, found = normalize(wanted.astype(np.float32)), []
    for rate in RATES:
        noisy = TypoNoise(rate=rate, random_state=0).transform(texts)
        own = normalize(embedder.transform(noisy))
        found.append(round(float(np.mean(np.sum(own * wanted, axis=1))), 4))
    return Curve(
        "held-out texts of the corpora", "cosine to the two teachers",
        "slips of the keyboard, share of letters", RATES, tuple(found),
    )  # fmt: skip


def publish(options):
    """Measure what `learn` left, and publish it."""
    report = json.loads((options.out / "report.json").read_text())
    held_out = np.load(options.out / "held_out.npz")
    tower = tower_of(options.out)
    measured = [curve(tower, held_out["texts"].tolist(), held_out["vectors"]), *curves(tower)]
    entry = Shelf(options.shelf).publish(
        tower,
        "en-semantic",
        licence="CC-BY-SA-4.0",
        corpora={**LICENCES, **TEACHERS},
        recipe=f"recipes/en_semantic.py, {report['recipe']}",
        metrics=measured,
        dtype="int8",
    )
    print(f"published {entry.pinned}, {entry.size:,} bytes")
    for found in measured:
        print(f"{found.data}, {found.metric}: {found.scores}")


def main():
    """Run the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("step", choices=["learn", "publish"])
    add("--texts", type=Path, help="a text a line, xz")
    add("--old", type=Path, help="bits that say which of them are of the first six corpora")
    add("--most", type=int, help="texts to read (all)")
    add("--mpnet", type=Path, help="folder of all-mpnet-base-v2")
    add("--work", type=Path, default=Path(__file__).parent / ".work")
    add("--out", type=Path, required=True, help="what was learned")
    add("--shelf", type=Path, help="directory to publish to")
    add("--minutes", type=float, default=5, help="of training (5)")
    add("--trials", nargs="*", default=[], help="shorter trainings before, or 'all' (none)")
    add("--trial-seconds", type=float, default=20, help="of each (20)")
    add("--loss", default="cosine", help="cosine, cosine+gram, cosine+contrast (cosine)")
    add("--lr", type=float, default=5e-3, help="highest learning rate (5e-3)")
    add("--width", type=int, default=288, help="of the table (288)")
    add("--buckets", type=int, default=2**17, help="its rows (131,072)")
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    {"learn": learn, "publish": publish}[options.step](options)


if __name__ == "__main__":
    main()
