"""Text as an enemy would write it: every public estimator reads it, in bounded memory."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from unicodedata import normalize

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from readers import CLEAR, NAMES, assert_sound, fitted, peaks, read, readers

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


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=HOSTILE)
def test_any_text(name, texts):
    estimator = fitted(name)
    for reader in readers(estimator):
        assert_sound(estimator, reader, read(estimator, reader, texts), texts)


HUGE = {
    "one of 10 MB": lambda: ["where is my crad? " * (10_000_000 // 18)],
    "ten of 1 MB": lambda: [chr(97 + i) * 1_000_000 for i in range(10)],
    "100,000 empty": lambda: [""] * 100_000,
    "chains": lambda: [FAMILY * 100_000, "e" + "\u0301" * 100_000],
    "NFKC": lambda: [SALUTATION * 200_000],
}


IN_CI = "NFKC"
KINDS = [pytest.param(kind, marks=[pytest.mark.ci] * (kind == IN_CI)) for kind in HUGE]


@pytest.fixture(scope="module", params=KINDS)
def huge(request):
    """Huge texts, and a process that read no others.

    In an old one, the buffer that `unicodedata.normalize` extends step by step moves through
    what earlier calls freed, 500 MB after some trainings, and each page that it touched counts.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield HUGE[request.param](), pool


@pytest.mark.slow
@pytest.mark.skipif(not CLEAR.exists(), reason="reads the peak of memory as Linux tells it")
@pytest.mark.parametrize("name", NAMES)
def test_huge(huge, name):
    texts, pool = huge
    longest = max(len(normalize("NFKC", text)) for text in texts)
    for reader, peak in pool.submit(peaks, name, texts).result().items():
        assert peak < PEAK + WHOLE.get(name, 0) * longest, reader
