"""What the buckets of hashed n-grams hold."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from sklearn_cclm._engines import engine
from sklearn_cclm._text.windows import windows
from sklearn_cclm.models._inference import encodings
from sklearn_cclm.models._lexical import Lexical
from sklearn_cclm.values._value import built

START = "^"  # stands for what is before a text


def contents(lexical: Lexical, texts: Sequence[str], *, batch_chars: int, device: Any) -> list[str]:
    """Return for each column the n-gram that it holds most often in texts, "" where it has none."""
    base = lexical.base
    preprocessor, orders = base.preprocessor(), base.config["ngram_orders"]
    size = preprocessor.max_example_len - preprocessor.add_cls
    pieces, _ = windows(preprocessor.normalize(texts, whole=True), size, size // 8)
    before = max(orders) - 1 + preprocessor.add_cls
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for rows, encoding in encodings(pieces, preprocessor, built(base, device), batch_chars, device):
        found = engine().array(encoding.rows)[..., 1:] - base.n_chars
        for row, buckets in zip(rows, found, strict=True):
            text = START * before + pieces[row]
            for end, own in enumerate(buckets[: len(text) - max(orders) + 1], start=max(orders)):
                for order, bucket in zip(orders, own.tolist(), strict=True):
                    counts[bucket][text[end - order : end]] += 1
    held = (counts.get(bucket) for bucket in lexical.buckets.tolist())
    return [most.most_common(1)[0][0] if most else "" for most in held]
