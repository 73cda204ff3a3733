"""Names of pictures by kind, from the Unicode character database that is part of Python."""

import unicodedata

import numpy as np
from sklearn.utils import Bunch

_KINDS = {  # from the first to the last code point, as the headings of Unicode's charts have them
    "animal": [(0x1F400, 0x1F43F), (0x1F980, 0x1F9AE), (0x1FAB0, 0x1FAB3)],
    "building": [(0x1F3D4, 0x1F3F0), (0x1F54B, 0x1F54D), (0x1F5FB, 0x1F5FE)],
    "clothing": [(0x1F451, 0x1F462), (0x1F97B, 0x1F97F), (0x1F9E2, 0x1F9E6)],
    "face": [(0x1F600, 0x1F64F), (0x1F910, 0x1F917), (0x1F920, 0x1F92F), (0x1F970, 0x1F97A)],
    "food": [(0x1F32D, 0x1F32F), (0x1F345, 0x1F37F), (0x1F950, 0x1F96F), (0x1F9C0, 0x1F9CB)],
    "music and play": [(0x1F399, 0x1F3BC), (0x1F9E9, 0x1F9E9)],
    "office": [(0x1F4B0, 0x1F4F2)],
    "party": [(0x1F380, 0x1F393)],
    "person": [(0x1F464, 0x1F487), (0x1F574, 0x1F57A), (0x1F930, 0x1F937)],
    "plant": [(0x1F330, 0x1F344), (0x1FAB4, 0x1FAB4)],
    "sport": [(0x1F3BD, 0x1F3D3), (0x1F93A, 0x1F945), (0x1F947, 0x1F94F)],
    "vehicle": [(0x1F680, 0x1F6A4), (0x1F6E5, 0x1F6E9), (0x1F6F3, 0x1F6FC)],
    "weather": [(0x1F300, 0x1F321), (0x1F324, 0x1F32C)],
}

_DESCR = """\
Names of pictures
-----------------

Names of some 700 pictures, such as "slice of pizza", and what kind of thing each shows: animal,
building, clothing, face, food, music and play, office, party, person, plant, sport, vehicle or
weather. The names are those of the Unicode character database (Unicode License v3), in lower case,
as Python's unicodedata has them; the kinds follow the headings of Unicode's charts. A newer Python
may have some more.
"""


def load_pictures(*, return_X_y: bool = False) -> Bunch | tuple[list[str], np.ndarray]:
    """Load the names of Unicode's pictures, labelled by the kind of thing they show.

    Short everyday English of which few words occur twice, so that what they mean decides. The names
    are part of Python, and nothing is downloaded.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    bunch : sklearn.utils.Bunch or tuple of (list of str, ndarray)
        With the keys

        data : list of str
            The distinct names, in lower case, in order of kind and code point.
        target : ndarray of shape (n_names,), dtype int64
            Index into ``target_names``.
        target_names : list of str
            The 13 kinds, sorted.
        DESCR : str
            What the data set is.

    See Also
    --------
    load_docstrings : Longer texts, and more of them.

    Examples
    --------
    >>> from sklearn_cclm.datasets import load_pictures
    >>> pictures = load_pictures()
    >>> place = pictures.data.index("slice of pizza")
    >>> pictures.target_names[pictures.target[place]]
    'food'
    """
    kind_of: dict[str, int] = {}
    for kind, ranges in enumerate(_KINDS.values()):
        for first, last in ranges:
            for code in range(first, last + 1):
                if name := unicodedata.name(chr(code), "").lower():
                    kind_of.setdefault(name, kind)
    data, target = list(kind_of), np.array(list(kind_of.values()), dtype=np.int64)
    if return_X_y:
        return data, target
    return Bunch(data=data, target=target, target_names=list(_KINDS), DESCR=_DESCR)
