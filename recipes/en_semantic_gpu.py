"""Learn the student of "en-semantic" on a machine with a GPU: ten minutes of it, not run there yet.

    python recipes/en_semantic_gpu.py --texts FILE --mpnet DIR --out DIR [--minutes N] [--trials all]

all-mpnet-base-v2 and the universal sentence encoder are asked about all texts; `_student.py` trains.
FILE holds a text a line, as `en_corpus.py` writes them; DIR of --mpnet is the folder of
all-mpnet-base-v2. The teachers' vectors are kept in --work. With --trials, shorter trainings come
first, which show what each ingredient brings on a screen of training splits with few labels.
`python recipes/en_semantic.py --learned DIR` publishes what is left in --out. The labelled sets are
read from the folder named by the environment variable CCLM_DATA (default ../shared/data).
"""

import argparse
import json
import lzma
import time
from pathlib import Path

import numpy as np
import torch
from _corpora import attested_typos
from _screen import SETS, screen, setting
from _student import Student, readers, train
from _teachers import mpnet, side_by_side, universal

from sklearn_cclm import CharPreprocessor, TypoNoise
from sklearn_cclm.values._base import folded_codes

HELD_OUT = 5000  # texts
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


class Lab:
    """What all trainings share: texts, vectors, readers and the screen."""

    def __init__(self, options):
        self.options = options
        with lzma.open(options.texts, "rt", encoding="utf-8") as file:
            self.texts = [line.rstrip("\n") for line in file][: options.most]
        self.preprocessor = CharPreprocessor(max_example_len=1200).fit(self.texts)
        noise = TypoNoise(KINDS, rate=(-0.1, 0.3), typos=attested_typos())
        self.pool = readers(self.texts, noise, self.preprocessor)
        self.vectors = [
            mpnet(self.texts, options.work, folder=options.mpnet, device=options.device),
            universal(self.texts, options.work),
        ]
        self.settings = [setting(*where) for where in SETS.values()]
        self.held_out = np.arange(HELD_OUT)
        self.train = np.arange(len(self.held_out), len(self.texts))
        self.counted = {}

    def learn(self, seconds, *, n_buckets, width, teachers=2, old=False, loss, lr, curve=None):
        """Return a trained student, and what it is worth."""
        targets = torch.as_tensor(side_by_side(self.vectors[:teachers], width)).half()
        targets = targets.to(self.options.device)
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
    np.savez_compressed(out / "held_out.npz", texts=np.array(texts), vectors=targets)
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


def main():
    """Run the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--texts", type=Path, required=True, help="a text a line, xz")
    add("--old", type=Path, help="bits that say which of them are of the first six corpora")
    add("--most", type=int, help="texts to read (all)")
    add("--mpnet", type=Path, required=True, help="folder of all-mpnet-base-v2")
    add("--work", type=Path, default=Path(__file__).parent / ".work")
    add("--out", type=Path, required=True, help="what was learned")
    add("--minutes", type=float, default=5, help="of training (5)")
    add("--trials", nargs="*", default=[], help="shorter trainings before, or 'all' (none)")
    add("--trial-seconds", type=float, default=20, help="of each (20)")
    add("--loss", default="cosine", help="cosine, cosine+gram, cosine+contrast (cosine)")
    add("--lr", type=float, default=5e-3, help="highest learning rate (5e-3)")
    add("--width", type=int, default=288, help="of the table (288)")
    add("--buckets", type=int, default=2**17, help="its rows (131,072)")
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    learn(options)


if __name__ == "__main__":
    main()
