"""Exported networks give what the estimators give, under ONNX Runtime."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from tiny import POOLED, STRIDED, tiny_base

from sklearn_cclm import (
    CharPreprocessor,
    ComposedClassifier,
    ComposedEmbedder,
    ComposedModel,
    ComposedRegressor,
    ComposedTagger,
    ConvConfig,
    MaskedCharacterPretrainer,
    PooledConfig,
    export_onnx,
    load,
    save,
)
from sklearn_cclm.architectures import _registry
from sklearn_cclm.export import _onnx
from sklearn_cclm.export._graph import graph
from sklearn_cclm.export._onnx import description

clients = pytest.mark.clients
TEXTS = ["good film", "bad film", "a good book", "A BAD BOOK"] * 5
LABELS = [0, 1, 0, 1] * 5
OTHERS = ["a film", "", "b\u00e4d \U0001f600 b\ud800k", "x" * 40, "good book, bad film; " * 3]
TINY = {"pooled": POOLED, "strided": STRIDED, "conv": ConvConfig(width=8, n_layers=2)}


def trained(tower, **base):
    recipe = tiny_base(random_state=0).set_params(**base)
    return MaskedCharacterPretrainer(recipe, tower=tower, max_epochs=1, random_state=0).fit(TEXTS)


@pytest.fixture(scope="module")
def towers():
    """Towers of several kinds on two bases, the second of which is deep and has a cls code."""
    first = trained(POOLED, n_buckets=64)
    deep = {"n_blocks": 1, "preprocessor": CharPreprocessor(add_cls=True, normalization="NFC")}
    return [
        ("pooled", first.tower_),
        ("strided", trained(STRIDED, **{"width": 16, **deep}).tower_),
        ("backward", first.set_params(base=first.base_, tower=backward()).fit(TEXTS).tower_),
    ]


def backward():
    return ConvConfig(width=8, n_layers=2, direction="backward", native_width=5)


def run(model, texts, path):
    """Return what an exported model says of texts under ONNX Runtime, and its description."""
    import onnxruntime

    export_onnx(model, path)
    said = json.loads(path.with_suffix(".json").read_text())
    session = onnxruntime.InferenceSession(path)
    codes = [base.preprocessor().encode(texts) for base in graph(model).bases]
    inputs = [value.name for value in session.get_inputs()]
    assert inputs == list(said["inputs"])
    (found,) = session.run([said["output"]["name"]], dict(zip(inputs, codes, strict=True)))
    alone = [
        session.run(None, {name: rows[i : i + 1] for name, rows in zip(inputs, codes, strict=True)})
        for i in range(len(texts))
    ]
    np.testing.assert_allclose(np.concatenate([one for (one,) in alone]), found, 1e-5, 1e-5)
    return found, said


@clients
@pytest.mark.filterwarnings("ignore::FutureWarning")  # of torch's exporter
class TestUnderOnnxRuntime:
    """Each case is an export, which takes seconds."""

    @pytest.mark.parametrize(
        ("name", "n_buckets"),
        [("pooled", 0), ("pooled", 64), *((name, 60) for name in _registry.names("tower"))],
    )
    def test_every_tower(self, name, n_buckets, tmp_path):
        tower = trained(TINY[name], n_buckets=n_buckets).tower_
        found, said = run(tower, OTHERS, tmp_path / "tower.onnx")
        expected = ComposedEmbedder([("tower", tower)]).fit([""]).transform(OTHERS)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert said["output"]["names"][0] == "masked_character__0"

    @pytest.mark.parametrize("params", [{}, {"pooling": "mean+max+attention"}, {"n_components": 3}])
    def test_composed_embedders(self, towers, params, tmp_path):
        embedder = ComposedEmbedder(towers, tower_weights={"strided": 0.5}, **params).fit(TEXTS)
        found, said = run(embedder, OTHERS, tmp_path / "vectors.onnx")
        np.testing.assert_allclose(found, embedder.transform(OTHERS), atol=1e-5)
        assert len(said["output"]["names"]) == found.shape[1]
        assert list(said["inputs"]) == ["codes_0", "codes_1"]

    @pytest.mark.parametrize(
        ("labels", "combine"), [("one", "concat"), ("several", "gated"), ("one", "attention")]
    )
    def test_classifiers(self, towers, labels, combine, tmp_path):
        y = LABELS if labels == "one" else np.eye(3, dtype=int)[[0, 1, 2, 0] * 5]
        same = [towers[0], towers[2]]
        head = ComposedClassifier(same, combine=combine, hidden=6, max_epochs=1, random_state=0)
        head.set_params(pooling="native" if labels == "one" else "mean+attention").fit(TEXTS, y)
        found, said = run(head, OTHERS, tmp_path / "head.onnx")
        np.testing.assert_allclose(found, head.predict_proba(OTHERS), atol=1e-5)
        assert said["output"]["names"] == head.classes_.tolist()

    @pytest.mark.parametrize("n_targets", [1, 2])
    def test_regressors(self, towers, n_targets, tmp_path):
        y = np.arange(20.0) * 1e6 if n_targets == 1 else np.arange(40.0).reshape(20, 2)
        head = ComposedRegressor(towers[:1], max_epochs=1, random_state=0).fit(TEXTS, y)
        found, _ = run(head, OTHERS, tmp_path / "head.onnx")
        np.testing.assert_allclose(found, head.predict(OTHERS), rtol=1e-5)

    def test_taggers(self, towers, tmp_path):
        spans = [[(0, 3, "quality")] if text.startswith("good") else [] for text in TEXTS]
        head = ComposedTagger(towers[:1], max_epochs=1, random_state=0).fit(TEXTS, spans)
        found, said = run(head, OTHERS, tmp_path / "head.onnx")
        assert said["output"]["names"] == list(head.tags_)
        for row, text, expected in zip(found, OTHERS, head.predict_proba(OTHERS), strict=True):
            np.testing.assert_allclose(row[: len(text)], expected, atol=1e-5)
            assert not row[len(text) :].any()

    def test_vectors_of_characters(self, towers, tmp_path):
        model = ComposedModel([towers[0], towers[2]], tower_weights={"pooled": 2.0}).fit(TEXTS)
        found, _ = run(model, OTHERS, tmp_path / "characters.onnx")
        np.testing.assert_allclose(found, model.transform(OTHERS), atol=1e-5)

    def test_bytes_stay_bytes(self, tmp_path):
        tower = trained(PooledConfig(width=8, hidden=8), width=64, n_buckets=2**12).tower_
        save(tower, tmp_path / "small", dtype="int8")
        tower = load(tmp_path / "small")
        found, _ = run(tower, OTHERS, tmp_path / "small.onnx")
        expected = ComposedEmbedder([("tower", tower)]).fit([""]).transform(OTHERS)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        artefact = sum(path.stat().st_size for path in (tmp_path / "small").iterdir())
        assert (tmp_path / "small.onnx").stat().st_size < 1.1 * artefact + 50_000

    def test_no_path_of_this_machine(self, towers, tmp_path):
        export_onnx(towers[0][1], tmp_path / "tower.onnx")
        assert (
            str(Path(_onnx.__file__).parents[1]).encode()
            not in (tmp_path / "tower.onnx").read_bytes()
        )


def test_the_extra_is_named(towers, tmp_path, monkeypatch):
    monkeypatch.setattr(_onnx, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r'pip install "sklearn-cclm\[onnx\]"'):
        export_onnx(towers[0][1], tmp_path / "tower.onnx")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (make_pipeline(ComposedEmbedder(), LogisticRegression()), "A Pipeline cannot.*skl2onnx"),
        (MaskedCharacterPretrainer(), "of a pretrainer, its tower_"),
        ("en-semantic", "A str cannot"),
    ],
)
def test_what_is_no_network_is_refused(model, message):
    with pytest.raises(TypeError, match=message):
        graph(model)


@pytest.mark.parametrize(
    "params", [{"lexical": True}, {"lexical": "tfidf"}, {"lexical": True, "n_components": 2}]
)
def test_what_is_counted_is_refused_by_name(towers, params):
    embedder = ComposedEmbedder(towers[:1], **params).fit(TEXTS)
    with pytest.raises(ValueError, match="'lexical' is a .* export an embedder of towers alone"):
        graph(embedder)


def test_a_text_transformer_is_refused_by_name(towers):
    embedder = ComposedEmbedder([*towers[:1], ("words", TfidfVectorizer())]).fit(TEXTS)
    with pytest.raises(ValueError, match="'words' is a TfidfVectorizer"):
        graph(embedder)


def test_a_tagger_that_reads_words_is_refused_by_name(towers):
    head = ComposedTagger(towers[:1], max_epochs=1, random_state=0)
    head.fit(["Ada came"] * 20, [[(0, 3, "person")]] * 20)
    with pytest.raises(ValueError, match=r"ComposedTagger that reads words .* embedder_ or towers"):
        graph(head)
    assert graph(head.embedder_).output == "vectors"


def test_the_path_ends_in_onnx(towers, tmp_path):
    with pytest.raises(ValueError, match=r"must end in '\.onnx'"):
        export_onnx(towers[0][1], tmp_path / "tower.json")


def test_the_examples_are_what_the_estimator_says(towers):
    head = ComposedClassifier(towers[:1], max_epochs=1, random_state=0).fit(TEXTS, LABELS)
    examples = json.loads(json.dumps(description(graph(head))))["examples"]
    texts = examples["texts"]
    assert head.towers_[0][1].base.preprocessor().encode(texts).tolist() == examples["codes"]
    np.testing.assert_allclose(examples["probabilities"], head.predict_proba(texts), atol=1e-6)


@pytest.mark.skipif(shutil.which("node") is None, reason="node runs the page's JavaScript")
def test_the_pages_javascript_makes_the_same_codes(towers, tmp_path):
    said = description(graph(ComposedEmbedder(towers).fit([""])))
    said["texts"] = OTHERS
    script = Path(__file__).parents[2] / "docs/user_guide/codes.mjs"
    (tmp_path / "said.json").write_text(json.dumps(said))
    (tmp_path / "check.mjs").write_text(
        f"import {{ codes }} from {json.dumps(script.as_uri())};\n"
        "import { readFileSync } from 'node:fs';\n"
        "const { inputs, texts } = JSON.parse(readFileSync(process.argv[2], 'utf8'));\n"
        "console.log(JSON.stringify(Object.values(inputs).map((how) => codes(texts, how))));\n"
    )
    command = ["node", tmp_path / "check.mjs", tmp_path / "said.json"]
    found = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    for codes, base in zip(found, graph(ComposedEmbedder(towers).fit([""])).bases, strict=True):
        preprocessor = base.preprocessor()
        assert codes == preprocessor.encode(preprocessor.normalize(OTHERS)).tolist()
