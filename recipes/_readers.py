"""The texts in a package, one reader for each kind of file; they are still to be cleaned."""

import csv
import gzip
import json
import re
import sqlite3
import subprocess
from itertools import islice

import msgpack
import yaml
from _cleaning import OFFENSIVE, sentences

BLOCK = r"<(?:p|h[1-4]|li|div)\b[^>]*>"
PARAGRAPH = re.compile(rf"{BLOCK}(.*?)(?=</?(?:p|h[1-4]|li|div|dl|dt|dd|ul|ol|pre|table)\b)", re.S)
ANCHOR = re.compile(
    r"<a class=\"(?:headerlink|id_link)\".*?</a>|<span class=\"section-number\".*?</span>", re.S
)
COMMENT = re.compile(r"/\*\*(.*?)\*/", re.S)
LINK = re.compile(r"\{@link \S+ ([^}]*)\}|\[([^\]]*)\]\([^)]*\)")
EXAMPLE = re.compile(r'"([^"]{8,})"')
MITIGATION = re.compile(r":DESCRIPTION:(.*?)(?=::|:[A-Z ]+:)")
NAMES = re.compile(r"([^.]*?[a-z)]) (?=[A-Z][a-z]* )(.*)", re.S)
LIBRARY = re.compile(r"(?:librust|libghc|golang)-.*|.*-(?:dev|dbg|doc|prof|locale|l10n)")


def one(folder, pattern):
    """Return the first file below a folder that fits a pattern."""
    return min(folder.rglob(pattern))


def load(path):
    """Return what a JSON file holds, packed with gzip or not."""
    content = path.read_bytes()
    return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)


def lines(path):
    """Yield the lines of a text file, packed with gzip or not."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from file


def values(tree, *keys):
    """Yield the strings of nested JSON, those under the keys alone if there are some."""
    for name, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        if isinstance(value, dict | list):
            yield from values(value, *keys)
        elif isinstance(value, str) and (not keys or name in keys):
            yield value


def corpus(path):
    """Sentences of a file with a passage a line."""
    for line in lines(path):
        yield from sentences(line)


def wordnet(folder, *, part):
    """WordNet's "gloss", "example" or "lemma" of each sense."""
    for kind in ("noun", "verb", "adj", "adv"):
        for line in one(folder, f"data.{kind}").read_text(encoding="utf-8").splitlines():
            if line.startswith("  ") or OFFENSIVE.search(line):
                continue
            fields, _, gloss = line.partition(" | ")
            if part == "example":
                yield from EXAMPLE.findall(gloss)
            elif part == "gloss":
                yield gloss.partition('; "')[0].partition(': "')[0]
            else:
                fields = fields.split()
                for row in range(int(fields[3], 16)):
                    yield re.sub(r"\(.*?\)", "", fields[4 + 2 * row]).replace("_", " ")


def debian(path, *, part, language="en"):
    """The "summary" of each Debian package, or the sentences of its long "description"."""
    command = ["/usr/lib/apt/apt-helper", "cat-file", path]
    text = subprocess.run(command, capture_output=True, check=True, encoding="utf-8").stdout
    for entry in text.split("\n\n"):
        _, _, description = entry.partition(f"Description-{language}: ")
        summary, *body = description.split("\n")
        if LIBRARY.fullmatch(entry.partition("\n")[0].removeprefix("Package: ")):
            continue
        if part == "summary":
            yield summary
            continue
        for paragraph in "\n".join(line[1:] for line in body).split("\n.\n"):
            for item in re.split(r"\n +[-*o+] +", paragraph):
                yield from sentences(item)


def words(folder, *, n_words, language="en", kind="[a-z][a-z'-]+"):
    """The most frequent words of wordfreq of a kind, the most frequent first."""
    with gzip.open(one(folder, f"large_{language}.msgpack.gz")) as file:
        _, *levels = msgpack.unpack(file, raw=False)
    found = (word for level in levels for word in sorted(level))
    yield from islice(filter(re.compile(kind).fullmatch, found), n_words)


def first_name(words):
    """The first of several names in a row: it ends where words return."""
    for at, word in enumerate(words):
        if word in words[:at]:
            place = words.index(word)
            return " ".join(words[: max(place + 1, at - place)])
    return " ".join(words)


def esco(folder, *, table):
    """Sentences that describe the skills or occupations of ESCO, and the name of each."""
    with open(one(folder, f"{table}.csv"), encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found = NAMES.fullmatch(row["description"])
            if found:
                yield first_name(found[1].split())
                yield from sentences(found[2])


def job_titles(folder):
    """Titles of jobs, those with a comma turned round at every second."""
    for line in lines(one(folder, "titles_combined.txt.gz")):
        noun, comma, rest = line.strip().partition(", ")
        yield f"{rest} {noun}" if comma and len(line) % 2 else line


def icd(folder):
    """Names and inclusion terms of ICD-10-CM."""
    text = one(folder, "icd10c-tabular*.xml").read_text(encoding="utf-8")
    for name in re.findall(r"<(?:desc|note)>(.*?)</", text):
        yield re.sub(r" \([A-Z]\d.*?\)", "", name)


def gene_ontology(folder, *, column):
    """The "term" or the first sentence of the "definition" of each entry of the Gene Ontology."""
    with sqlite3.connect(one(folder, "GO.sqlite")) as connection:
        for (text,) in connection.execute(f"SELECT {column} FROM go_term ORDER BY go_id"):
            if text and not text.startswith("Catalysis of the reaction"):
                yield sentences(text)[0]


def genes(folder):
    """Names of genes."""
    with sqlite3.connect(one(folder, "org.Hs.eg.sqlite")) as connection:
        for (text,) in connection.execute("SELECT gene_name FROM gene_info ORDER BY _id"):
            if not re.search(r"LOC\d|GRCh|Sharpr|pseudogene|olfactory receptor", text):
                yield text


def substances(folder):
    """Official and brand names of substances, in lower case."""
    for line in one(folder, "UNII_Names.txt").read_text(encoding="latin-1").splitlines():
        name, kind, *_ = line.split("\t")
        if kind in ("of", "bn") and not re.search(r"\d|\[", name):
            yield name.lower()


def described(folder, *, pattern, keys):
    """Sentences under the keys of the JSON files that fit a pattern."""
    paths = sorted(folder.rglob(pattern))
    for text in dict.fromkeys(text for path in paths for text in values(load(path), *keys)):
        for paragraph in re.split(r"</?(?:p|li|ul|note|important)>|\n\s*\n|\n\s*[*-] ", text):
            yield from sentences(LINK.sub(r"\1\2", paragraph))


def naics(folder):
    """Titles and sentences that describe industries."""
    for entry in load(one(folder, "2017_NAICS_Descriptions.json")).values():
        yield re.sub(r"(?<=[a-z)])T$", "", entry["Title"].strip())
        for paragraph in (entry["Description"] or "").split("\r\n"):
            if not paragraph.startswith("See industry"):
                yield from sentences(paragraph)


def brands(folder):
    """Names of brands and what Wikidata says they are."""
    for entry in load(one(folder, "wikidata.json"))["wikidata"].values():
        label, description = entry.get("label", ""), entry.get("description", "")
        yield f"{label}, {description}" if description else label


def presets(folder):
    """Names of kinds of places and what mappers look for them by."""
    groups = load(one(folder, "translations/en.json"))["en"]["presets"]
    for group in groups.values():
        for entry in group.values():
            yield entry.get("name", "")
            yield entry.get("label", "")
            yield entry.get("terms", "").replace(",", ", ")
            yield from values(entry.get("options", {}))


def comments(folder, *, pattern):
    """Sentences of the documentation comments in a TypeScript file."""
    for comment in COMMENT.findall(one(folder, pattern).read_text(encoding="utf-8")):
        for paragraph in LINK.sub(r"\1\2", re.sub(r"\n\s*\*", "\n", comment)).split("\n\n"):
            if not re.match(r"\s*See also|\s*@", paragraph):
                yield from sentences(paragraph)


def pages(folder, *, pattern):
    """Sentences of the paragraphs and headings of HTML pages."""
    for path in sorted(folder.rglob(pattern)):
        text = ANCHOR.sub("", path.read_text(encoding="utf-8", errors="replace"))
        for paragraph in PARAGRAPH.findall(text):
            yield from sentences(re.sub(r"<[^<>]*>", "", paragraph))


def messages(folder, *, pattern):
    """Messages of an interface, from a gettext file."""
    text = one(folder, pattern).read_text(encoding="utf-8").replace('"\n"', "")
    for message in re.findall(r'^msgid(?:_plural)? "(.*)"$', text, re.M):
        yield message.replace("\\n", " ")


def listed(folder, *, pattern, keys=()):
    """Strings of the JSON files that fit a pattern."""
    for path in sorted(folder.rglob(pattern)):
        yield from values(load(path), *keys)


def annotations(folder):
    """Names and keywords of emoji and symbols."""
    entries = load(one(folder, "annotations/en/annotations.json"))["annotations"]["annotations"]
    for entry in entries.values():
        yield from entry.get("tts", [])
        yield ", ".join(entry.get("default", []))


def licences(folder):
    """Sentences of licences."""
    for path in sorted(folder.rglob("licenses/*.json")):
        text = load(path)["licenseText"]
        if " the " in text.lower():  # English
            for paragraph in text.split("\n\n"):
                yield from sentences(paragraph)


def conversations(folder):
    """What is said and answered in the English conversations of chatterbot."""
    for path in sorted(folder.rglob("data/english/*.yml")):
        turns = yaml.safe_load(path.read_text(encoding="utf-8"))["conversations"]
        yield from (str(text) for turn in turns for text in turn)


def recipes(folder):
    """Titles, ingredients and steps of recipes."""
    for recipe in load(one(folder, "recipes_en-us.json")).values():
        yield recipe["title"]
        yield from recipe["ingredients"]
        for step in recipe["steps"]:
            yield from sentences(step)


def weaknesses(folder):
    """Names and descriptions of weaknesses of software, from CWE's tables."""
    with open(one(folder, "navigate_cwe/1000.csv"), encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["Name"]
            for column in ("Description", "Extended Description"):
                yield from sentences(row.get(column) or "")
            yield from MITIGATION.findall(row.get("Potential Mitigations") or "")
