"""Towers whose speed is measured: trained for a step, as it does not depend on what they know."""

from sklearn_cclm import ComposedEmbedder, MaskedCharacterPretrainer


def stepped(texts, base=None, tower="pooled", *, seed=0):
    """Return a pretrainer that saw few texts once."""
    pretrainer = MaskedCharacterPretrainer(base, tower=tower, max_epochs=1, random_state=seed)
    return pretrainer.fit(texts[:128])


def on_one_base(texts, n, tower="pooled"):
    """Return n towers of a kind that stand on one base."""
    first = stepped(texts, tower=tower)
    more = [stepped(texts, first.base_, tower, seed=seed).tower_ for seed in range(1, n)]
    return [first.tower_, *more]


def on_own_bases(texts, n, tower="pooled"):
    """Return n towers of a kind, each on a base of its own."""
    return [stepped(texts, tower=tower, seed=seed).tower_ for seed in range(n)]


def embedder(*towers, **params):
    """Return a fitted embedder of these towers."""
    return ComposedEmbedder([(f"t{i}", t) for i, t in enumerate(towers)], **params).fit(["text"])
