"""The code of the page on other libraries, with the real packages."""

import numpy as np
import pages
import pytest

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("default")]  # of the packages
TEXTS = [f"a {word} {thing}" for thing in ("film", "book", "song", "play", "dish") for word in (
    "good", "bad", "great", "poor", "fine", "awful", "nice", "dull", "fair", "flat", "rich", "thin"
)]  # fmt: skip
LABELS = np.array([0, 1] * 30)


def run(title, **given):
    return pages.run("clients", title, **{"texts": TEXTS, "labels": LABELS, **given})


def test_optuna():
    study = run("Optuna")["study"]
    assert len(study.trials) == 4
    assert study.best_params["tower"] in ("en-semantic", "en-entities")


def test_cleanlab():
    wrong = LABELS.copy()
    wrong[0] = 1
    assert run("cleanlab", labels=wrong)["issues"]["is_label_issue"][0]


def test_imbalanced_learn():
    few = np.array([0] * 50 + [1] * 10)
    balanced = run("imbalanced-learn", labels=few)["balanced"]
    assert balanced.score(TEXTS, few) > 0.9


def test_bertopic():
    assert len(run("BERTopic")["topics"]) == len(TEXTS)


def test_umap():
    assert run("UMAP")["flat"].shape == (len(TEXTS), 2)


def test_faiss():
    found = run("faiss")
    assert found["nearest"].shape == (1, 3)
    assert TEXTS[found["nearest"][0, 0]] == "a good film"


def test_langchain():
    assert run("LangChain")["found"][0].page_content == "a good film"


def test_chroma():
    found = run("Chroma")
    assert found["found"]["documents"][0][0] == "a good film"
    config = found["collection"].configuration["embedding_function"].get_config()
    assert config == {"tower": "en-semantic"}


def test_sentence_transformers():
    similarities = run("sentence-transformers")["similarities"]
    assert similarities.shape == (1, len(TEXTS))
    assert TEXTS[int(similarities.argmax())] == "a good film"
