"""What a line of a source must be like to be learned from, and which lines the evaluation holds."""

import csv
import gzip
import html
import re

import numpy as np

csv.field_size_limit(1 << 24)  # a message of newsgroups20 is longer than the default

LENGTHS = range(3, 301)  # of a text, in characters
OVERLAP = 40  # characters that a text may not share with one of the evaluation
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\u201d\u2019]*\s+(?=[\"'(\u201c\u2018]*[A-Z0-9])")
TAG = re.compile(r"<[/a-zA-Z!][^<>]*>")
SPACES = re.compile(r"\s+")
PRIVATE = re.compile(r"\S@\S|https?:|www\.|\d{3}\W{1,2}\d{3}\W\d{4}")  # mail, pages, telephones
MARKUP = re.compile(r"[{}|`\\\u2192]|%\(|%[sd]\b|\[\[|::|==|\$\w|\w_\w|</|/>|\(\s*\)", re.ASCII)
OFFENSIVE = re.compile(
    r"offensive|obscen|\bslurs?\b|disparag|derogat|nigg(?:er|a)|faggot|fuck|cunt|porn|\bwhore", re.I
)
UNWANTED = PRIVATE, MARKUP, OFFENSIVE
NO_ENGLISH = re.compile(r"[^a-zA-Z ]+")
NOT_A_LETTER = re.compile(r"[\W_]+")
TEXT_COLUMNS = ("text", "corrected", "spellchecked", "subject", "employee_position_title")


def clean(text):
    """Return the text without markup on one line, or "" if it is no text to learn from."""
    text = SPACES.sub(" ", html.unescape(TAG.sub(" ", text))).strip(" \"'*-\u2022\u201c\u201d")
    if len(text) not in LENGTHS or any(kind.search(text) for kind in UNWANTED):
        return ""
    return text if len(NO_ENGLISH.sub("", text)) >= 0.7 * len(text) else ""


def sentences(text):
    """Return the sentences of a passage."""
    return SENTENCE_END.split(SPACES.sub(" ", text).strip())


def normalised(text):
    """Return the letters and digits of a text, case folded: what makes two texts equal here."""
    return NOT_A_LETTER.sub("", text.casefold())


def evaluation_texts(folder):
    """Return the normalised texts of all evaluation sets in a folder."""
    found = set()
    for path in sorted(folder.glob("*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found.update(normalised(row[name]) for name in TEXT_COLUMNS if row.get(name))
    for path in sorted(folder.glob("ner_*.txt.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for sentence in file.read().split("\n\n"):
                tokens = [line.split("\t")[0] for line in sentence.splitlines()]
                found.add(normalised(" ".join(tokens)))
    return found - {""}


def shingles(lines):
    """Return a hash for each position of the joined lines, of `OVERLAP` characters."""
    hashes = np.frombuffer("\n".join(lines).encode("utf-32-le"), np.uint32).astype(np.uint64)
    length = 1
    for factor in (2, 2, 2, 5):  # a hash of `factor` neighbours, each of `length` characters
        count = max(0, len(hashes) - (factor - 1) * length)
        parts = [hashes[part * length : part * length + count] for part in range(factor)]
        hashes = parts[0].copy()
        for part in parts[1:]:
            hashes *= np.uint64(0x9E3779B97F4A7C15)
            hashes += part
        length *= factor
    return hashes


class Shingles:
    """The shingles of known lines, to find the lines that share one with them."""

    def __init__(self, lines):
        self.hashes = np.sort(shingles([line for line in lines if len(line) >= OVERLAP]))
        self.mask = np.zeros(1 << 27, bool)
        self.mask[self.hashes >> np.uint64(37)] = True

    def shared(self, lines, *, batch=20_000):
        """Return for each line whether one of its shingles is known."""
        found = np.zeros(len(lines), bool)
        for first in range(0, len(lines), batch):
            part = lines[first : first + batch]
            own = shingles(part)
            rows = np.flatnonzero(self.mask[own >> np.uint64(37)])
            place = np.minimum(np.searchsorted(self.hashes, own[rows]), len(self.hashes) - 1)
            rows = rows[self.hashes[place] == own[rows]]
            ends = np.cumsum([len(line) + 1 for line in part])
            found[first + np.searchsorted(ends, rows, side="right")] = True
        return found
