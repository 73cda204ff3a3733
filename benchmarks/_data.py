"""The data sets and draws that several benchmarks share."""

import csv
import gzip
import os
import sys
from pathlib import Path

import numpy as np

DATA = Path(os.environ.get("CCLM_DATA", "../shared/data"))


def need(name):
    """Return the path of a data file, or end with what to do."""
    path = DATA / name
    if not path.exists():
        sys.exit(f"{path} is missing: set CCLM_DATA to the folder that holds {name}")
    return path


def read_csv(name):
    """Return the rows of a data set as dicts."""
    csv.field_size_limit(2**27)  # newsgroups20 has longer texts than csv's default allows
    with gzip.open(need(name), "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_banking77():
    """Return (texts, labels) of the training and the test split."""
    rows = read_csv("banking77.csv.gz")
    return [
        (
            [row["text"] for row in rows if row["split"] == split],
            [row["label"] for row in rows if row["split"] == split],
        )
        for split in ("train", "test")
    ]


def read_lines(*names, n, seed=0):
    """Return n lines of corpora, drawn with a seed."""
    lines = []
    for name in names:
        with gzip.open(need(f"corpora/{name}.txt.gz"), "rt", encoding="utf-8") as file:
            lines += [line.rstrip("\n") for line in file]
    return [lines[i] for i in np.random.default_rng(seed).permutation(len(lines))[:n]]


def few_per_class(labels, n, seed):
    """Return the rows of n texts of each class."""
    labels, rng = np.array(labels), np.random.default_rng(seed)
    rows = [rng.permutation(np.flatnonzero(labels == name))[:n] for name in np.unique(labels)]
    return np.concatenate(rows)
