"""`Shelf`: published bases and towers, by name and revision."""

from __future__ import annotations

import builtins
import os
from collections.abc import Iterable, Mapping
from datetime import date as Date
from typing import TYPE_CHECKING

from sklearn_cclm._tools.facts import aligned, as_size, table
from sklearn_cclm.shelf._cache import describe
from sklearn_cclm.shelf._card import card, write_card
from sklearn_cclm.shelf._directory import Directory
from sklearn_cclm.shelf._entry import FILES, REVISION_DIGITS, Curve, Entry, ShelfError
from sklearn_cclm.shelf._index import read_index
from sklearn_cclm.shelf._installed import PACKAGED
from sklearn_cclm.shelf._source import Source, source_of

if TYPE_CHECKING:
    from sklearn_cclm.values import Base, Tower


class Shelf:
    """Published bases and towers, by name and revision.

    What was fetched once needs no network again. Nothing is loaded unless its sha256 is what the
    index says.

    Parameters
    ----------
    index : str or path-like, default=None
        A directory; the http(s) URL of an ``index.json``, beside which the artefacts lie; or
        "hf://owner/repository@commit", with all 40 digits of the commit, for the Hugging Face hub.
        None is ``SKLEARN_CCLM_SHELF`` of the environment, or else what comes with the package and
        with installed data packages.
    cache_dir : str or path-like, default=None
        Where to keep what is fetched. None is ``SKLEARN_CCLM_CACHE`` of the environment, or else
        ``~/.cache/sklearn_cclm``.

    Raises
    ------
    ValueError
        If the index is none of these.

    See Also
    --------
    ComposedEmbedder : Takes names on the default shelf as towers.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn_cclm import CCLMModelBase, Shelf
    >>> shelf = Shelf(tempfile.mkdtemp())
    >>> base = CCLMModelBase(width=16, n_buckets=100).fit(["some text"]).base_
    >>> entry = shelf.publish(
    ...     base, "tiny-base", licence="CC0-1.0", corpora={"a sentence": "CC0-1.0"},
    ...     recipe="Not trained.",
    ... )
    >>> shelf.list()
    ['tiny-base']
    >>> shelf.fetch("tiny-base") == base
    True
    """

    def __init__(
        self,
        index: str | os.PathLike | None = None,
        cache_dir: str | os.PathLike | None = None,
    ) -> None:
        self.index = index
        self.cache_dir = cache_dir
        self._source()

    @property
    def _given(self) -> str | os.PathLike | None:
        return self.index or os.environ.get("SKLEARN_CCLM_SHELF") or None

    @property
    def _location(self) -> str:
        return os.fspath(self._given or PACKAGED)

    def _source(self) -> Directory | Source:
        return source_of(self._given, self.cache_dir)

    def _entries(self, *, refresh: bool = False) -> builtins.list[Entry]:
        return read_index(self._source().index(refresh=refresh), self._location)

    def refresh(self) -> Shelf:
        """Read the index of a URL anew, to see what was published since it was read first.

        Returns
        -------
        Shelf
            This shelf.
        """
        self._entries(refresh=True)
        return self

    def list(self) -> builtins.list[str]:
        """Return the names on the shelf.

        Returns
        -------
        list of str
            In alphabetical order.
        """
        return sorted({entry.name for entry in self._entries()})

    def search(
        self,
        text: str | None = None,
        *,
        kind: str | None = None,
        task: str | None = None,
        base: str | None = None,
        max_bytes: int | None = None,
    ) -> builtins.list[Entry]:
        """Return the newest revision of each name that is as asked for.

        Parameters
        ----------
        text : str, default=None
            Part of its name, task, recipe, or of the name of a corpus or measured data set, in
            whatever case.
        kind : {"base", "tower"}, default=None
            What it is.
        task : str, default=None
            What a tower was trained on.
        base : str, default=None
            Digest of its base, such as ``tower.base.digest``: towers on one base share its work.
        max_bytes : int, default=None
            Size of its files.

        Returns
        -------
        list of Entry
            In the order of their names.
        """
        newest = {entry.name: entry for entry in self._entries()}
        return [
            entry
            for _, entry in sorted(newest.items())
            if (text is None or entry.mentions(text))
            and kind in (None, entry.kind)
            and task in (None, entry.task)
            and base in (None, entry.base)
            and (max_bytes is None or entry.size <= max_bytes)
        ]

    def entry(self, name: str, revision: str | None = None) -> Entry:
        """Return what the index says of a component.

        Parameters
        ----------
        name : str
            A name on the shelf, or "name@revision".
        revision : str, default=None
            At least the first 12 digits of its sha256; None is the newest one.

        Returns
        -------
        Entry
            Of the revision.

        Raises
        ------
        ShelfError
            If there is no such name or revision.
        """
        if revision is None:
            name, _, revision = name.partition("@")
        entries = self._entries()
        named = [entry for entry in entries if entry.name == name]
        if not named:
            names = sorted({entry.name for entry in entries})
            raise ShelfError(
                f"{name!r} is not on the shelf {self._location!r}, which has {names}.{self._hint}"
            )
        if not revision:
            return named[-1]
        for entry in named:
            if len(revision) >= REVISION_DIGITS and entry.sha256.startswith(revision):
                return entry
        raise ShelfError(
            f"{name!r} has no revision {revision!r} on the shelf {self._location!r}, which has "
            f"{[entry.revision for entry in named]}.{self._hint}"
        )

    @property
    def _hint(self) -> str:
        return " It may be out of date: call refresh()." if "://" in self._location else ""

    def fetch(self, name: str, revision: str | None = None) -> Base | Tower:
        """Return a component, downloading it if it was never fetched before.

        Parameters
        ----------
        name : str
            A name on the shelf, or "name@revision".
        revision : str, default=None
            At least the first 12 digits of its sha256; None is the newest one in the index.

        Returns
        -------
        Base or Tower
            As it was published.

        Raises
        ------
        ShelfError
            If there is no such component, or it is not what the index says.
        ModelFormatError
            If its files are no component.
        ConnectionError
            If it must be downloaded and cannot be.
        """
        from sklearn_cclm.shelf._components import read  # imports torch

        return read(self._source().artefact, self.entry(name, revision), self._entries())

    def publish(
        self,
        component: Base | Tower,
        name: str,
        *,
        licence: str,
        corpora: Mapping[str, str],
        recipe: str,
        metrics: Iterable[Curve] = (),
        dtype: str = "float32",
        base_in: str | None = None,
        language: str | None = None,
        limits: str | None = None,
        date: str | None = None,
    ) -> Entry:
        """Add a revision to a shelf in a directory, and write its model card.

        Parameters
        ----------
        component : Base or Tower
            What to publish.
        name : str
            Lower-case letters and digits, joined by ".", "_" or "-".
        licence : str
            SPDX identifier, such as "CC-BY-4.0".
        corpora : mapping of str to str
            What it was trained on, each with its licence.
        recipe : str
            How it was trained, such as the command.
        metrics : iterable of Curve, default=()
            What was measured, on open data sets.
        dtype : {"float32", "float16", "int8"}, default="float32"
            How the weights are stored. They are rounded for the last two, so that the published
            component has another digest.
        base_in : str, default=None
            A name on this shelf whose base is that of the tower, which is then stored once.
        language : str, default=None
            Tags of the languages that it knows, such as "en" or "de, en"; None is not said.
        limits : str, default=None
            What it is not good for, in sentences.
        date : str, default=None
            Such as "2026-01-31"; None is today.

        Returns
        -------
        Entry
            What the index says of it.

        Raises
        ------
        ShelfError
            If the shelf is in no directory, a field is not allowed, or this is published already.
        TypeError
            If the component is no base or tower.
        """
        from sklearn_cclm.shelf._components import write  # imports torch

        source = self._source()
        if not isinstance(source, Directory):
            raise ShelfError(
                f"{self._location!r} cannot be written to: publish to Shelf(directory), and upload "
                "that directory as it is."
            )
        holder = None if base_in is None else self.entry(base_in)
        if holder is not None and holder.base_in is not None:
            holder = self.entry(holder.base_in)
        with source.staging() as staged:
            facts = write(component, staged, dtype, holder)
            entry = Entry(
                name=name,
                **facts,
                files={file: describe(staged / file) for file in FILES},
                licence=licence,
                corpora=dict(corpora) if isinstance(corpora, Mapping) else corpora,
                recipe=recipe,
                date=Date.today().isoformat() if date is None else date,
                metrics=tuple(metrics),
                language=language,
                limits=limits,
            )
            source.add(entry, staged)
            write_card(entry, source.root / name)
        return entry

    def verify(self) -> builtins.list[Entry]:
        """Fetch and check every revision on the shelf.

        Returns
        -------
        list of Entry
            All of them, each found to be what the index says.

        Raises
        ------
        ShelfError
            If one is not, with what is wrong of each.
        ConnectionError
            If one must be downloaded and cannot be.
        """
        from sklearn_cclm.shelf._components import read  # imports torch

        entries, wrong = self._entries(), []
        for entry in entries:
            try:
                read(self._source().artefact, entry, entries)
            except ValueError as error:
                wrong.append(f"{entry.name}@{entry.revision}: {error}")
        if wrong:
            raise ShelfError("\n".join([f"{len(wrong)} of {len(entries)} are damaged:", *wrong]))
        return entries

    def card(self, name: str, revision: str | None = None) -> str:
        """Return the model card of a component.

        Parameters
        ----------
        name : str
            A name on the shelf, or "name@revision".
        revision : str, default=None
            At least the first 12 digits of its sha256; None is the newest one in the index.

        Returns
        -------
        str
            Markdown, as the Hugging Face hub reads it; `publish` writes it with a plot.
        """
        return card(self.entry(name, revision))

    def _rows(self) -> builtins.list[tuple[str, ...]]:
        head: tuple[str, ...] = ("name", "what it is", "language", "licence", "size")
        return [head] + [
            (entry.name, entry.what, entry.language or "", entry.licence, as_size(entry.size))
            for entry in self.search()
        ]

    def __str__(self) -> str:
        return "\n".join([f"Shelf {self._location}", *aligned(self._rows())])

    def _repr_html_(self) -> str:
        head, *rows = self._rows()
        return table(f"Shelf {self._location}", rows, head)

    def __repr__(self) -> str:
        return f"Shelf({self._location!r})"
