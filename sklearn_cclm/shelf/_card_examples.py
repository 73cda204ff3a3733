"""The first lines of code with an entry, which run as they stand."""

from __future__ import annotations

from sklearn_cclm.shelf._entry import Entry

_TEXTS = """\
texts = ["where is my card", "my card has not come", "cancel my order", "please cancel it"]
"""

_FEATURES = """\
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn_cclm import ComposedEmbedder

{texts}labels = ["card", "card", "cancel", "cancel"]
embedder = ComposedEmbedder([("{name}", "{pinned}")])
model = make_pipeline(embedder, LogisticRegression()).fit(texts, labels)
model.predict(["wheres my crad"])"""

_NAMES = """\
from sklearn_cclm import EntityPretrainer

names = EntityPretrainer.from_tower("{pinned}")
names.predict(["Barack Obama flew to New York ."])"""

_BASE = """\
from sklearn_cclm import MaskedCharacterPretrainer

{texts}pretrainer = MaskedCharacterPretrainer(base="{pinned}", max_epochs=1, validation_fraction=0)
tower = pretrainer.fit(texts).tower_"""


def usage(entry: Entry) -> str:
    """Return what can be done with a component, as Python."""
    if entry.kind == "base":
        example = _BASE
    else:
        example = _NAMES if entry.task == "entity" else _FEATURES
    return example.format(texts=_TEXTS, name=entry.name, pinned=entry.pinned)
