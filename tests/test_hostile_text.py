"""Text as an enemy would write it: every public estimator reads it, in bounded memory."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from readers import CLEAR, NAMES, TEXTS, fitted, peaks, read, readers
from scipy.sparse import issparse

from sklearn_cclm import ComposedTagger

PEAK = 300 * 2**20  # bytes beside the texts, with what is made of them
# bytes for each character of the longest text, where that is read whole (seen: 110 and 40)
WHOLE = {"ComposedTagger": 130, "EntityPretrainer": 130, "TypoNoise": 60}
FAMILY = "\U0001f469\u200d"  # a woman and a zero-width joiner: a chain of them is one glyph
SALUTATION = "\ufdfa"  # NFKC makes 18 characters of it
PIECES = st.sampled_from(
    [FAMILY, SALUTATION, "e\u0301", "\u0301", "\ud800", "\udfff", "\0", "\u202e", "\ufeff", " \n\t"]
)
RUNS = st.builds(lambda piece, n: piece * n, PIECES, st.integers(1, 600))
ANY = st.text(st.characters(), max_size=40)
HOSTILE = st.lists(ANY | RUNS | st.tuples(ANY, RUNS, ANY).map("".join), max_size=5)


def assert_sound(estimator, texts):
    """Raise unless each reader gives finite rows of the shape that it gives for usual texts."""
    for reader in readers(estimator):
        value, usual = read(estimator, reader, texts), read(estimator, reader, TEXTS)
        if isinstance(value, list):
            assert_within(value, texts, tagged=isinstance(estimator, ComposedTagger))
            continue
        assert value.shape[0] == len(texts), reader
        assert value.shape[2:] == usual.shape[2:], reader
        assert value.ndim == 3 or value.shape[1:] == usual.shape[1:], reader
        numbers = value.data if issparse(value) else value
        assert numbers.dtype.kind not in "fiu" or np.isfinite(numbers).all(), reader


def assert_within(rows, texts, *, tagged):
    """Raise unless each text has a label per character, or spans that lie within it."""
    assert len(rows) == len(texts)
    for row, text in zip(rows, texts, strict=True):
        spans = [part for part in row if not isinstance(part, str)]
        assert spans or len(row) == (len(text) if tagged else 0)
        assert all(0 <= span.start < span.end <= len(text) for span in spans)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=HOSTILE)
def test_any_text(name, texts):
    assert_sound(fitted(name), texts)


HUGE = {
    "one of 10 MB": lambda: ["where is my crad? " * (10_000_000 // 18)],
    "ten of 1 MB": lambda: [chr(97 + i) * 1_000_000 for i in range(10)],
    "100,000 empty": lambda: [""] * 100_000,
    "chains": lambda: [FAMILY * 100_000, "e" + "\u0301" * 100_000],
    "NFKC": lambda: [SALUTATION * 200_000],
}


@pytest.fixture(scope="module")
def young():
    """Run a process that did nothing else.

    In an old one, the buffer that `unicodedata.normalize` extends step by step moves through
    what earlier calls freed, 500 MB after some trainings, and each page that it touched counts.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.skipif(not CLEAR.exists(), reason="reads the peak of memory as Linux tells it")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", HUGE)
def test_huge(kind, name, young):
    texts = HUGE[kind]()
    longest = max(len(normalize("NFKC", text)) for text in texts)
    for reader, (n, peak) in young.submit(peaks, name, texts).result().items():
        assert n == len(texts), reader
        assert peak < PEAK + WHOLE.get(name, 0) * longest, reader
