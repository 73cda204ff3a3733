"""Entities inside words: scripts without spaces, suffixes, units behind numbers."""

import numpy as np
import pytest

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    ComposedTagger,
    ConvConfig,
    EntityPretrainer,
    Tower,
    load,
)

SCRIPTS = {  # names of "a", of "b", and sentences
    "Chinese": (
        ["张伟", "欧阳修", "李娜"],
        ["北京", "上海", "乌鲁木齐"],
        "{a}去了{b}。|昨天{a}在家|{b}{b}铁路|天气好",
    ),
    "Thai": (
        ["สมชาย", "วิชัย"],
        ["กรุงเทพ", "เชียงใหม่"],
        "{a}ไป{b}เมื่อวาน|{a}อยู่ที่{b}|วันนี้ฝนตก",
    ),
    "Japanese": (
        ["田中", "スミス"],
        ["東京", "大阪"],
        "{a}さんは{b}に行った|{b}です|今日は寒い",
    ),
    "Finnish": (
        ["Matti", "Liisa"],
        ["Oulu", "Helsinki"],
        "{a}lla on talo {b}ssa|{b}sta tuli {a}|hyvää päivää",
    ),
    "Turkish": (
        ["Ali", "Ayşe"],
        ["Ankara", "İzmir"],
        "{a}yle {b}dan geldi|{b}da bugün|hava güzel",
    ),
    "units": (
        ["450", "20", "5"],
        ["mg", "ml", "g"],
        "take {a}{b} daily|give {a} {b} now|no dose today",
    ),
}


def sentences(firsts, seconds, patterns, n=120):
    """Return texts and the spans in them."""
    rng = np.random.default_rng(0)
    texts, spans = [], []
    for _ in range(n):
        text, row = "", []
        for part in rng.choice(patterns.split("|")).replace("}", "{").split("{"):
            names = {"a": firsts, "b": seconds}.get(part)
            said = str(rng.choice(names)) if names else part
            row += [(len(text), len(text) + len(said), part)] if names else []
            text += said
        texts.append(text)
        spans.append(row)
    return texts, spans


def tiny(**params):
    base = CCLMModelBase(CharPreprocessor(max_example_len=48), width=24, n_buckets=300)
    tower = ConvConfig(width=24, n_layers=2)
    params = {"max_epochs": 12, "lr": 5e-3, "random_state": 0, **params}
    return EntityPretrainer(base, tower=tower, **params)


@pytest.fixture(scope="module")
def units():
    texts, spans = sentences(*SCRIPTS["units"])
    return tiny().fit(texts, spans), texts, spans


@pytest.mark.parametrize("script", SCRIPTS)
def test_names_are_found_inside_runs_of_letters(script):
    texts, spans = sentences(*SCRIPTS[script])
    pretrainer = tiny().fit(texts, spans, validation=(texts, spans))
    assert pretrainer.inside_words_ > 0.1
    assert pretrainer.score(texts, spans) > 0.97
    assert pretrainer.history_[-1]["valid_f1"] == pretrainer.score(texts, spans)


def test_a_stored_tower_knows_that_entities_may_end_inside_words(units, tmp_path):
    pretrainer, texts, _ = units
    assert pretrainer.predict(["take 450mg daily"]) == [[(5, 8, "a"), (8, 10, "b")]]
    pretrainer.tower_.save(tmp_path / "units")
    tower = Tower.load(tmp_path / "units")
    assert (tower, tower.inside_words) == (pretrainer.tower_, pretrainer.inside_words_)
    assert EntityPretrainer.from_tower(tower).predict(texts) == pretrainer.predict(texts)
    whole = tower.with_head(tower.head, tower.labels)
    assert whole.digest != tower.digest
    words = EntityPretrainer.from_tower(whole).predict(["take 450mg daily"])
    assert [span[:2] for span in words[0]] == [(5, 10)]


def test_a_stored_tagger_knows_it(units, tmp_path):
    pretrainer, texts, spans = units
    tagger = ComposedTagger([("units", pretrainer.tower_)], freeze="towers", lr=0.05)
    tagger.set_params(max_epochs=20, dropout=0, random_state=0).fit(texts, spans)
    assert tagger.score(texts, spans) > 0.97
    tagger.save(tmp_path / "tagger")
    again = load(tmp_path / "tagger")
    assert again.inside_words_ == tagger.inside_words_ > 0.1
    assert again.predict_spans(texts) == tagger.predict_spans(texts)


def test_it_is_learned_from_later_texts_too(units):
    _, texts, spans = units
    pretrainer = tiny().partial_fit(["take 450 mg"], [[(5, 8, "a"), (9, 11, "b")]])
    assert pretrainer.inside_words_ == pretrainer.tower_.inside_words == 0
    pretrainer.partial_fit(texts, spans)
    assert pretrainer.inside_words_ == pretrainer.tower_.inside_words > 0.1


def test_what_was_pickled_before_there_was_any_is_of_whole_words(units):
    tower = units[0].tower_
    make, (cls, hashed, _) = tower.__reduce__()
    fields = dict(hashed.content)
    labelled = tower.with_head(tower.head, tower.labels)
    del fields["inside_words"]
    old = make(cls, fields, labelled.digest)
    assert old.inside_words == 0
    assert old.with_head(old.head, old.labels).digest == labelled.digest
    fitted = EntityPretrainer.from_tower(old)
    del fitted.inside_words_
    assert [span[:2] for span in fitted.predict(["take 450mg daily"])[0]] == [(5, 10)]


@pytest.mark.parametrize("share", [-0.1, 1.5, 1, "0.5", None, float("nan")])
def test_forged_shares_are_refused(units, share):
    tower, message = units[0].tower_, "inside_words=.* must be a float from 0 to 1"
    stored = {**tower._stored_fields(lambda base: 0), "inside_words": share}
    with pytest.raises(ValueError, match=message):
        Tower._read_fields(stored, lambda place, kind: tower.base)
    with pytest.raises(ValueError, match=message):
        ComposedTagger()._take({"labels": ["a"], "inside_words": share})
