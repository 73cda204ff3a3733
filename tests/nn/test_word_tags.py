"""The output layer of words: batches do not change what it says, and blanks are outside."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from sklearn_cclm import ConvConfig, PooledConfig
from sklearn_cclm._persistence._rows import ByteRows
from sklearn_cclm._targets.word_layout import word_layout
from sklearn_cclm._text.codes import code_points, pad
from sklearn_cclm._training.batches import Batch
from sklearn_cclm.architectures import _registry
from sklearn_cclm.nn._registry import build
from sklearn_cclm.nn.embedding import NgramBase, NgramConfig
from sklearn_cclm.nn.rows import ByteTable
from sklearn_cclm.nn.word_tags import WordTagHead
from sklearn_cclm.nn.words import Words

N_TAGS = 5
TEXTS = ["Ada met Bob", "  ", "x, Yz! " * 9, "", "New York"]


def batch(texts, tag=0):
    """Return texts as a batch whose words all have one tag; codes are code points."""
    points, lengths = code_points(texts)
    owners = np.repeat(np.arange(len(texts)), lengths)
    ids = pad(points, lengths, dtype=np.int64)
    layout = word_layout(points, owners)
    extra = {"positions": np.flatnonzero(ids), **layout}
    targets = np.full(len(layout["rows"]), tag)
    seeded = Batch.seeded(ids, targets, extra, rng=np.random.default_rng(0))
    return seeded.to(torch.device("cpu"))


@pytest.fixture(
    scope="module", params=[ConvConfig(16, 2), PooledConfig(16, 16)], ids=["conv", "pooled"]
)
def network(request):
    torch.manual_seed(0)
    base = NgramBase(NgramConfig(16, (2, 3), 64), folded=tuple(range(200)))
    name = _registry.name_of("tower", request.param)
    tower = build("tower", name, _registry.to_dict(request.param), base_width=16)
    head = WordTagHead(16, N_TAGS, entity_weight=2.0)
    torch.nn.init.normal_(head.context.output.weight)
    return torch.nn.ModuleList([base, tower, head]).eval()


@torch.no_grad()
def test_batches_do_not_change_what_is_said(network):
    base, tower, head = network
    together = batch(TEXTS)
    found = head.logits(tower, base(together.ids), together)
    alone = [batch([text]) for text in TEXTS if text]
    parts = [head.logits(tower, base(one.ids), one) for one in alone]
    torch.testing.assert_close(found, torch.cat(parts), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found.exp().sum(1), torch.ones(len(found)))
    blank = together.extra["words"] < 0
    assert (found[blank].argmax(1) == 0).all()


@torch.no_grad()
def test_an_entity_is_worth_a_margin(network):
    base, tower, head = network
    losses = []
    for weight in (0.5, 1.0, 4.0):
        head.entity_weight = weight
        of = [head(tower, base(b.ids), b) for b in (batch(TEXTS, tag=0), batch(TEXTS, tag=1))]
        losses.append([float(loss) for loss in of])
    outside, begun = zip(*losses, strict=True)
    assert outside == pytest.approx([outside[0]] * 3)
    assert begun[0] < begun[1] < begun[2]


def test_a_word_is_the_mean_of_its_characters():
    words = Words.of(batch(["ab c", "", " d"]))
    features = torch.arange(12.0).view(3, 4, 1)
    assert words.mean(features).tolist() == [[0.5], [3.0], [9.0]]
    padded, mask = words.padded(words.mean(features), 3)
    assert padded.squeeze(2).tolist() == [[0.5, 3.0], [0.0, 0.0], [9.0, 0.0]]
    assert mask.tolist() == [[True, True], [False, False], [True, False]]
    assert words.flat(padded).tolist() == [[0.5], [3.0], [9.0]]


@torch.no_grad()
@pytest.mark.parametrize("as_bytes", [False, True])
@pytest.mark.parametrize("texts", [TEXTS, ["", " "]], ids=["words", "blanks"])
def test_words_of_a_table_that_rests_are_summed_at_once(texts, as_bytes):
    base = NgramBase(NgramConfig(16, (2, 3), 64), folded=tuple(range(200)))
    if as_bytes:
        multiples = torch.randint(-127, 128, base.table.weight.shape).numpy()
        packed = ByteRows.of(multiples, np.ones(len(multiples), dtype=np.float32)).packed
        base.table = ByteTable(torch.from_numpy(packed))
    of, words = batch(texts), Words.of(batch(texts))
    learning = base(of.ids).of_words(words)
    base.requires_grad_(False)
    torch.testing.assert_close(base(of.ids).of_words(words), learning)
    torch.testing.assert_close(words.mean(base(of.ids).characters), learning)


@torch.no_grad()
def test_what_is_borrowed_reads_its_own_tower_alone():
    of = batch(TEXTS)
    words = Words.of(of)
    theirs = WordTagHead(16, N_TAGS, entity_weight=2.0).eval()
    for norm in (theirs.context.norm_in, theirs.context.norm_out):
        torch.nn.init.normal_(norm.weight)
    own = WordTagHead(8 + 16 + 4, 3, entity_weight=2.0).eval()
    own.borrow(theirs.state_dict(), first=8)
    assert not own.output.weight[:, :8].any()
    assert not own.output.weight[:, 24:].any()
    for head in (theirs, own):
        head.context.output = torch.nn.Identity()
    parts = [torch.randn(len(words.rows), width) for width in (8, 16, 4)]
    joined = torch.cat([F.layer_norm(part, part.shape[1:]) for part in parts], dim=1)
    expected = theirs.context(parts[1], words, of, None)
    assert expected.std() > 0.1
    torch.testing.assert_close(own.context(joined, words, of, None), expected, atol=1e-3, rtol=1e-3)


@torch.no_grad()
def test_what_is_a_name_is_borrowed_whatever_its_label():
    of = batch(TEXTS)
    theirs = WordTagHead(16, 5, entity_weight=2.0).eval()
    torch.nn.init.normal_(theirs.context.output.weight)
    vectors = torch.randn(len(Words.of(of).rows), 16)
    scores = [
        head.output(vectors) + head.context(vectors, Words.of(of), of, None)
        for head in (theirs, borrowing(theirs, n_tags=7))
    ]
    outside, *named = scores[0].unbind(1)
    begin, inside = ((named[i] + named[i + 2]) / 2 for i in (0, 1))
    expected = torch.stack([outside, *[begin, inside] * 3], dim=1)
    torch.testing.assert_close(scores[1], expected, atol=1e-4, rtol=1e-4)


def borrowing(theirs, *, n_tags):
    own = WordTagHead(16, n_tags, entity_weight=2.0).eval()
    own.borrow(theirs.state_dict())
    return own
