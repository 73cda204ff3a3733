"""A screen of students with few labels, on training splits alone: they are chosen by it."""

import csv
import gzip

import numpy as np
import torch
from _corpora import need
from sklearn.feature_extraction.text import TfidfTransformer
from torch.nn.functional import cross_entropy, normalize

from sklearn_cclm import TypoNoise

SETS = {
    "banking77": ("banking77", "label"),
    "snips": ("snips", "label"),
    "trec": ("trec_questions", "label"),
    "trec, fine": ("trec_questions", "label_fine"),
    "emotion": ("tweet_emotion", "label"),
    "polarity": ("sentence_polarity", "label"),
    "newsgroups": ("newsgroups20", "label"),
}
KINDS = ("clean", "10 %", "misspelt")
STRENGTH = 30.0  # C of the logistic regression
WEIGHT = 0.5  # of the student beside the counts of n-grams
N_TEST, DRAWS, CHARACTERS = 700, 1, 1000
csv.field_size_limit(2**24)


def rows(name):
    """Return the rows of a file."""
    with gzip.open(need(f"{name}.csv.gz"), "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def setting(name, column):
    """Return texts with labels to draw few from, and others to test on, of a training split.

    Returns
    -------
    dict
        "texts" and "labels"; "tests", the other texts by kind of noise, and their "truth".
    """
    found = [row for row in rows(name) if row.get("split", "train") == "train" and row["text"]]
    rng = np.random.default_rng(7)
    found = [found[i] for i in rng.permutation(len(found))]
    test, train = found[:N_TEST], found[N_TEST:][:6000]
    typos = [(row["typo"], row["correction"]) for row in rows("typos_codespell")]
    noises = (None, TypoNoise(rate=0.1, random_state=1),
              TypoNoise("typos", rate=0.5, typos=typos, random_state=1))  # fmt: skip
    texts = [row["text"][:CHARACTERS] for row in test]
    classes = sorted({row[column] for row in train})
    test = [(text, row) for text, row in zip(texts, test, strict=True) if row[column] in classes]
    texts = [text for text, _ in test]
    return {
        "texts": [row["text"][:CHARACTERS] for row in train],
        "labels": [classes.index(row[column]) for row in train],
        "tests": [texts if noise is None else noise.transform(texts).tolist() for noise in noises],
        "truth": [classes.index(row[column]) for _, row in test],
    }


def draws(labels):
    """Yield the rows of each draw of 5 and of 10 labels per class."""
    labels = np.asarray(labels)
    for n in (5, 10):
        for seed in range(DRAWS):
            order = np.random.default_rng(seed).permutation(len(labels))
            ranks = [order[labels[order] == one][:n] for one in range(labels.max() + 1)]
            yield np.concatenate(ranks)


def screen(settings, embed, lexical, *, device):
    """Return the mean accuracy by kind of noise, alone and beside the counts of n-grams.

    Parameters
    ----------
    settings : list of dict
        What `setting` returned.
    embed : callable of a list of str
        Vectors, a float32 Tensor on the device.
    lexical : callable of a list of str
        Counts of n-grams, CSR with as many columns for all texts.

    Returns
    -------
    dict of str to list of float
        For "alone" and "beside" the accuracy for each of `KINDS`.
    """
    found = {"alone": [], "beside": []}
    for each in settings:
        truth = torch.tensor(each["truth"], device=device)
        tests = [normalize(embed(texts)) for texts in each["tests"]]
        counted = [lexical(texts) for texts in each["tests"]]
        for chosen in draws(each["labels"]):
            texts = [each["texts"][row] for row in chosen]
            labels = torch.tensor([each["labels"][row] for row in chosen], device=device)
            own = normalize(embed(texts))
            alone = [own @ own.T, *(test @ own.T for test in tests)]
            words = tfidf_products(lexical(texts), counted)
            mixed = [
                torch.as_tensor(one).to(other) + WEIGHT**2 * other
                for one, other in zip(words, alone, strict=True)
            ]
            for name, products in (("alone", alone), ("beside", mixed)):
                found[name].append(accuracy(products[0], products[1:], labels, truth))
    return {name: np.mean(values, axis=0).round(4).tolist() for name, values in found.items()}


def tfidf_products(train, tests):
    """Return the products of all with the training texts, of the rows that these have."""
    seen = np.unique(train.indices)
    tfidf = TfidfTransformer(sublinear_tf=True).fit(train[:, seen])
    few = tfidf.transform(train[:, seen]).T
    return [(tfidf.transform(part[:, seen]) @ few).toarray() for part in (train, *tests)]


def accuracy(train, tests, labels, truth):
    """Return the accuracy of a logistic regression, from products of texts with each other.

    Parameters
    ----------
    train : float Tensor of shape (n, n)
        Products of the training texts.
    tests : list of float Tensor of shape (m, n)
        Products of the test texts with them.
    labels, truth : int64 Tensor of shape (n,) and (m,)
        Classes.
    """
    values, axes = torch.linalg.eigh(train.double())
    scale = values.clamp(min=1e-9).sqrt()
    scale[values < 1e-7 * values.max()] = torch.inf
    features = (axes * scale.nan_to_num(posinf=0.0)).float()
    back = (axes / scale).float()
    n_classes = int(labels.max()) + 1
    weight = torch.zeros(features.shape[1], n_classes, device=train.device, requires_grad=True)
    bias = torch.zeros(n_classes, device=train.device, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=60, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        logits = features @ weight + bias
        loss = cross_entropy(logits, labels, reduction="sum")
        loss = loss + weight.square().sum() / (2 * STRENGTH)
        loss.backward()
        return loss

    optimizer.step(closure)
    with torch.no_grad():
        return [
            float(((test.float() @ back @ weight + bias).argmax(1) == truth).float().mean())
            for test in tests
        ]
