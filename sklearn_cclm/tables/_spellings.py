"""Values of columns that are spelt alike or mean the like: found, grouped and joined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_cclm._tools.check_device import check_device
from sklearn_cclm._tools.params import check_integer, check_real
from sklearn_cclm.models._inference import distinct
from sklearn_cclm.preprocessing._unread import warn_unread
from sklearn_cclm.tables._values import AT_ONCE, learn_blocks, read_blocks, read_column, ready_tower

_TRIED = np.linspace(0.2, 0.8, 13).tolist()
_ROUNDING = 1e-5  # of similarities


def similar(
    column: Any,
    queries: Any,
    *,
    n_neighbors: int = 5,
    meaning: float = 0.5,
    tower: Any = "en-semantic",
    device: str = "auto",
) -> tuple[np.ndarray, np.ndarray]:
    """Find the values of a column that are most similar to each of some texts.

    Similarity is that of the spelling, the cosine of the TF-IDF of character n-grams, and of the
    meaning, the cosine of a tower's vectors, in shares. All values are compared.

    Parameters
    ----------
    column : column of str of shape (n,)
        A pandas or polars Series, a frame or table of one column, an array or a list. Missing and
        blank values are left out.
    queries : column of str of shape (n_queries,)
        What to look for. Missing and blank ones are like no value: similarity 0.
    n_neighbors : int, default=5
        How many values to find, at most.
    meaning : float, default=0.5
        The share of meaning, from 0 to 1.
    tower : Tower or str, default="en-semantic"
        A tower, or the name of one on the `Shelf`; its base must hash n-grams.
    device : str, default="auto"
        Torch device; "auto" takes an accelerator where there is one.

    Returns
    -------
    values : ndarray of str objects of shape (n_queries, n_neighbors)
        Distinct values, the most similar first.
    similarities : float32 ndarray of shape (n_queries, n_neighbors)
        At most 1.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed.

    Examples
    --------
    >>> from sklearn_cclm.tables import similar
    >>> values, similarities = similar(["police officer", "librarian"], ["polcie"], n_neighbors=1)
    >>> values.tolist()
    [['police officer']]
    """
    check_integer("n_neighbors", n_neighbors, 1)
    known = _Known("column", _read("column", column), meaning, tower, device)
    places, similarities = known.nearest(_read("queries", queries), n_neighbors)
    return np.array(known.values, dtype=object)[places], similarities


def deduplicate(
    column: Any,
    *,
    min_similarity: float | None = None,
    meaning: float = 0.25,
    tower: Any = "en-semantic",
    device: str = "auto",
) -> np.ndarray:
    """Give all spellings of one thing the spelling that a column has most often.

    Values are clustered by average linkage of their similarities, as `similar` has them. Memory is
    that of all pairs of distinct values: some gigabytes for 10,000.

    Parameters
    ----------
    column : column of str of shape (n,)
        As for `similar`.
    min_similarity : float, default=None
        From 0 to 1: clusters as similar as this are joined. The higher it is, the fewer things
        are taken for one. None tries those from .2 to .8, and takes the one of the best mean
        silhouette (Rousseeuw, 1987), or .8 if at each of them all values are one thing, or no two
        are.
    meaning : float, default=0.25
        As for `similar`. Meaning helps to tell misspelt words apart.
    tower : Tower or str, default="en-semantic"
        As for `similar`.
    device : str, default="auto"
        As for `similar`.

    Returns
    -------
    ndarray of str objects of shape (n,)
        The most frequent spelling in each value's cluster, the first in alphabetical order of
        equally frequent ones; None where a value is missing or blank.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed.

    References
    ----------
    P. J. Rousseeuw (1987). Silhouettes: a Graphical Aid to the Interpretation and Validation of
    Cluster Analysis. Journal of Computational and Applied Mathematics 20.

    Examples
    --------
    >>> from sklearn_cclm.tables import deduplicate
    >>> column = ["librarian", "librarian", "librarain", "police officer", "polcie officer", None]
    >>> deduplicate(column).tolist()
    ['librarian', 'librarian', 'librarian', 'polcie officer', 'polcie officer', None]
    """
    if min_similarity is not None:
        check_real("min_similarity", min_similarity, 0, 1, ends="both")
    texts = _read("column", column)
    if not any(texts):
        return np.full(len(texts), None, dtype=object)
    known = _Known("column", texts, meaning, tower, device)
    clusters = _clusters(known.blocks.similarity(known.blocks), min_similarity)
    counts = Counter(texts)
    ordered = sorted(zip(known.values, clusters, strict=True), key=lambda pair: -counts[pair[0]])
    best: dict[int, str] = {}
    for value, cluster in ordered:
        best.setdefault(cluster, value)
    spelling = {value: best[cluster] for value, cluster in ordered}
    return np.array([spelling.get(text) for text in texts], dtype=object)


def match(
    left: Any,
    right: Any,
    *,
    min_similarity: float = 0.5,
    meaning: float = 0.0,
    tower: Any = "en-semantic",
    device: str = "auto",
) -> tuple[np.ndarray, np.ndarray]:
    """Find for each row of a column the row of another whose value is most similar, for a join.

    Parameters
    ----------
    left : column of str of shape (n_left,)
        As for `similar`.
    right : column of str of shape (n_right,)
        Where to look, best without repeated values: of equal ones the first is found.
    min_similarity : float, default=0.5
        From 0 to 1: what is less similar is no match.
    meaning : float, default=0.0
        As for `similar`. Of names, spelling alone says most; without meaning no tower is run.
    tower : Tower or str, default="en-semantic"
        As for `similar`.
    device : str, default="auto"
        As for `similar`.

    Returns
    -------
    rows : int64 ndarray of shape (n_left,)
        Rows of `right`; -1 where there is no match, or a value is missing.
    similarities : float32 ndarray of shape (n_left,)
        That of the most similar value, a match or not; 0 where a value is missing.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed.

    Examples
    --------
    >>> from sklearn_cclm.tables import match
    >>> rows, _ = match(["librarians", "chess"], ["police officer", "librarian"])
    >>> rows.tolist()
    [1, -1]
    """
    check_real("min_similarity", min_similarity, 0, 1, ends="both")
    texts, targets = _read("left", left), _read("right", right)
    known = _Known("right", targets, meaning, tower, device)
    places, similarities = (found[:, 0] for found in known.nearest(texts, 1))
    first = dict(zip(reversed(targets), reversed(range(len(targets))), strict=True))
    rows = np.array([first[value] for value in known.values])[places]
    present = np.array([bool(text) for text in texts], bool)
    matched = present & (similarities >= min_similarity - _ROUNDING)
    return np.where(matched, rows, -1), similarities


def _clusters(similarities: np.ndarray, least: float | None) -> np.ndarray:
    """Return the cluster of each value, at the best of `_TRIED` where no similarity is given."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from sklearn.metrics import silhouette_score  # both slow to import

    n = len(similarities)
    above = np.triu_indices(n, 1)
    pairs = np.clip(1 - similarities[above].astype(float), 0, None)
    if n == 1:
        return np.ones(1, dtype=int)
    distances = np.zeros((n, n))
    distances[above] = pairs
    distances += distances.T
    tree = linkage(pairs, "average")

    def silhouette(clusters: np.ndarray) -> float:
        told_apart = 1 < len(np.unique(clusters)) < n
        return silhouette_score(distances, clusters, metric="precomputed") if told_apart else -1

    tried = _TRIED if least is None else [least]
    found = [fcluster(tree, 1 - each + _ROUNDING, "distance") for each in tried]
    return found[0] if least is not None else max(reversed(found), key=silhouette)


def _read(name: str, column: Any) -> list[str]:
    """Return the texts of a column, or raise an error that says which argument it is."""
    try:
        return read_column(column)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from error


class _Known:
    """The distinct values of a column, which others are compared with."""

    def __init__(
        self, name: str, texts: Sequence[str], meaning: float, tower: Any, device: Any
    ) -> None:
        check_real("meaning", meaning, 0, 1, ends="both")
        check_device(device)
        self.values = sorted({*texts} - {""})
        if not self.values:
            raise ValueError(
                f"{name} has no text to compare with among its {len(texts)} rows: pass at least "
                "one value that is neither missing nor blank."
            )
        self.tower, self.device, self.share = ready_tower(tower), device, meaning
        self._warn(self.values)
        self.lexical, self.blocks = learn_blocks(
            self.values, self.tower, device, share=meaning, with_new=True
        )

    def nearest(self, texts: Sequence[str], n: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the places of the values most similar to texts, and their similarities."""
        texts, rows = distinct(texts)
        self._warn(texts)
        blocks = read_blocks(texts, self.tower, self.lexical, self.device, share=self.share)
        n = min(n, len(self.values))
        places = np.empty((len(texts), n), dtype=np.int64)
        similarities = np.empty((len(texts), n), dtype=np.float32)
        step = max(1, AT_ONCE // len(self.values))
        for some in (slice(start, start + step) for start in range(0, len(texts), step)):
            found = blocks.take(some).similarity(self.blocks)
            places[some] = np.argsort(-found, axis=1, kind="stable")[:, :n]
            similarities[some] = np.minimum(np.take_along_axis(found, places[some], axis=1), 1)
        return places[rows], similarities[rows]

    def _warn(self, texts: Sequence[str]) -> None:
        """Warn of texts that the tower knows nothing of, where it is asked for their meaning."""
        if self.share:
            warn_unread(texts, [self.tower.base.preprocessor()], missing="empty", stacklevel=5)
