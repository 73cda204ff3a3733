"""Tags of tokens or characters, in whatever scheme, as runs that are an entity each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from string import punctuation
from typing import Any, NamedTuple, TypeAlias

BARE_LABEL = "entity"  # what tags name that are a letter alone

_STARTS = ("B", "S", "U")
_ENDS = ("E", "S", "L", "U")
_BEFORE = re.compile(r"(?P<letter>[BIMESLU])[-_](?P<label>.+)")
_AFTER = re.compile(r"(?P<label>.+)[-_](?P<letter>[BIMESLU])")
_BARE = re.compile("(?P<letter>[BIMESLU])(?P<label>)")
_NONE = "O"

_Run: TypeAlias = tuple[int, int, str]


class Tag(NamedTuple):
    """What a tag says: a letter of the scheme, or none, and the label, which "O" lacks."""

    letter: str
    label: str


def tagged_runs(tags: Sequence[str], scheme: Mapping[str, Tag]) -> list[_Run]:
    """Return the entities of a row of tags: first place, place after the last one, label."""
    runs: list[_Run] = []
    inside = ""  # the label of the entity that is not over yet
    for place, tag in enumerate(tags):
        letter, label = scheme[tag]
        if label and (letter in _STARTS or label != inside):
            runs.append((place, place + 1, label))
        elif label:
            runs[-1] = (runs[-1][0], place + 1, label)
        inside = "" if letter in _ENDS else label
    return runs


def read_scheme(rows: Iterable[Sequence[Any]]) -> dict[str, Tag]:
    """Return what each tag of a data set says, or raise ValueError or TypeError.

    One scheme holds for all of them: letters before the labels, after them or alone, or labels
    alone.
    """
    first: dict[str, int] = {}
    for index, row in enumerate(rows):
        for tag in row:
            if isinstance(tag, Integral):
                raise TypeError(
                    f"Text {index} has the number {tag} for a tag, as Hugging Face stores them: "
                    'pass their names, [[names[i] for i in row] for row in dataset["ner_tags"]] '
                    'with names = dataset.features["ner_tags"].feature.names.'
                )
            if not isinstance(tag, str):
                raise _unread(index, tag)
            first.setdefault(tag, index)
    given = {tag: tag.strip() for tag in first}
    names = sorted({name for name in given.values() if name != _NONE})
    said = {_NONE: Tag("", ""), **_labels(names, {given[tag]: i for tag, i in first.items()})}
    return {tag: said[name] for tag, name in given.items()}


def is_tag(name: str) -> bool:
    """Whether a name is "O" or has the letter of a scheme, so that it is hardly anything else."""
    name = name.strip()
    patterns = (_BEFORE, _AFTER, _BARE)
    return name == _NONE or any(pattern.fullmatch(name) for pattern in patterns)


def _labels(names: list[str], first: Mapping[str, int]) -> dict[str, Tag]:
    """Return what names other than "O" say."""
    for pattern in (_BEFORE, _AFTER, _BARE):
        found = {name: match for name in names if (match := pattern.fullmatch(name))}
        if found and len(found) == len(names):
            return {
                name: Tag(match["letter"], match["label"] or BARE_LABEL)
                for name, match in found.items()
            }
        if found and pattern is not _AFTER:  # of labels alone, some may end like that
            other = next(name for name in names if name not in found)
            raise _unread(first[other], other, f" and elsewhere {next(iter(found))!r}")
    rests = Counter(rest for name in names for rest in _without_letter(name))
    for name in names:
        alike = any(rests[rest] > 1 for rest in _without_letter(name))
        whole = name.strip(punctuation) == name and any(map(str.isalpha, name))
        if alike or not whole or name == "o":
            raise _unread(first[name], name)
    return {name: Tag("", name) for name in names}


def _without_letter(name: str) -> set[str]:
    """Return a name without what may be a letter of a scheme that is written otherwise."""
    ends = ((name[:1], name[1:2], name[2:]), (name[-1:], name[-2:-1], name[:-2]))
    return {
        rest
        for letter, sign, rest in ends
        if rest and letter in "BIMESLUbimeslu" and not sign.isalnum()
    }


def _unread(index: int, tag: Any, others: str = "") -> ValueError:
    return ValueError(
        f"Text {index} has the tag {tag!r}{others}: tags are 'O', or throughout one of B, I, E, S, "
        "L, U, M with a hyphen and a label, such as 'B-person', label and letter, such as "
        "'person-B', a letter alone, or a label alone, such as 'person'."
    )


def in_scheme(tags: Sequence[str], scheme: str) -> list[str]:
    """Return BIO tags in a scheme that also marks the last tag of an entity, and single ones.

    Parameters
    ----------
    tags : sequence of str
        As "B-person".
    scheme : {"BIO", "BIOES", "BMES", "BILOU"}
        How they are to be written.
    """
    if scheme == "BIO":
        return list(tags)
    letters = {"BIOES": ("I", "E", "S"), "BMES": ("M", "E", "S"), "BILOU": ("I", "L", "U")}
    inside, last, single = letters[scheme]
    found = []
    for tag, following in zip(tags, (*tags[1:], _NONE), strict=False):
        letter, label = tag[:1], tag[1:]
        ends = not following.startswith("I")
        said = {"B": single if ends else "B", "I": last if ends else inside, _NONE: _NONE}
        found.append(said[letter] + label)
    return found
