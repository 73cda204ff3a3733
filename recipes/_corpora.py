"""The folder of open data, and what several recipes read of it."""

import csv
import gzip
import os
import sys
from pathlib import Path

DATA = Path(os.environ.get("CCLM_DATA", "../shared/data"))


def need(name):
    """Return the path of a data file, or end with what to do."""
    path = DATA / name
    if not path.exists():
        sys.exit(f"{path} is missing: set CCLM_DATA to the folder that holds {name}")
    return path


def attested_typos():
    """Return (typo, word) pairs collected from Reddit and Wikipedia."""
    with gzip.open(need("typos_reddit_wikipedia.csv.gz"), "rt", encoding="utf-8") as file:
        return [(row["typo"], row["correction"]) for row in csv.DictReader(file)]
