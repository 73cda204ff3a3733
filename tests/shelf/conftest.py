"""A small shelf in a directory, of untrained components, and servers of it."""

import shutil
import threading
from collections import defaultdict
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from sklearn_cclm import CCLMModelBase, Shelf, Tower
from sklearn_cclm.architectures._registry import to_dict
from sklearn_cclm.nn import PooledTower
from sklearn_cclm.nn.towers import PooledConfig
from sklearn_cclm.shelf import Curve

TEXTS = ["good film", "bad film", "good book", "bad book"] * 3
CURVE = Curve(
    data="Open reviews, test", metric="accuracy", noise="typos", levels=(0, 0.1), scores=(0.9, 0.8)
)
SAID = {
    "licence": "CC0-1.0",
    "corpora": {"Four short texts": "CC0-1.0"},
    "recipe": "Not trained.",
    "date": "2026-01-31",
}


def make_base(seed=0):
    recipe = CCLMModelBase(width=8, ngram_orders=(2,), n_buckets=500, random_state=seed)
    return recipe.fit(TEXTS).base_


def make_tower(base, seed=0):
    config = PooledConfig(width=4, hidden=4)
    rng = np.random.default_rng(seed)
    state = PooledTower(config, base_width=8).state_dict()
    weights = {name: rng.normal(size=v.shape).astype(np.float32) for name, v in state.items()}
    return Tower(
        base=base, architecture="pooled", config=to_dict(config), weights=weights,
        task="masked_character",
    )  # fmt: skip


@pytest.fixture
def said():
    return SAID


@pytest.fixture
def curve():
    return CURVE


@pytest.fixture
def texts():
    return TEXTS


@pytest.fixture(scope="session")
def base():
    return make_base()


@pytest.fixture(scope="session")
def tower(base):
    return make_tower(base)


@pytest.fixture(scope="session")
def newer(base):
    return make_tower(base, seed=1)


@pytest.fixture(scope="session")
def published(tmp_path_factory, base, tower, newer):
    """A base, and a tower of two revisions."""
    shelf = Shelf(tmp_path_factory.mktemp("shelf"))
    shelf.publish(base, "tiny-base", **SAID)
    shelf.publish(tower, "tiny", **SAID)
    shelf.publish(newer, "tiny", metrics=[CURVE], **SAID)
    return shelf


@pytest.fixture
def shelf(published, tmp_path):
    """A copy that a test may change."""
    return Shelf(shutil.copytree(published.index, tmp_path / "shelf"))


@pytest.fixture
def root(shelf):
    return shelf.index


@pytest.fixture
def default(shelf, monkeypatch):
    """Make the small shelf the default one."""
    monkeypatch.setenv("SKLEARN_CCLM_SHELF", str(shelf.index))
    return shelf


class Handler(SimpleHTTPRequestHandler):
    """Serves a directory, with ranges, and with what `behave` of the server says by file name."""

    def do_GET(self):
        name = self.path.rpartition("/")[2]
        self.server.asked[name].append(self.headers.get("Range"))
        try:
            self.server.behave.get(name, send)(self)
        except FileNotFoundError:
            self.send_error(404)

    def content(self):
        with open(self.translate_path(self.path), "rb") as file:
            return file.read()

    def log_message(self, *args):
        pass


def send(handler, *, cut=None, ranges=True, sized=True, content=None):
    """Answer with a file: maybe only so many bytes of it, without ranges, or with other bytes."""
    content = handler.content() if content is None else content
    asked = handler.headers.get("Range") if ranges else None
    start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
    handler.send_response(206 if asked else 200)
    if asked:
        handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
    if sized:
        handler.send_header("Content-Length", str(len(content) - start))
    handler.end_headers()
    handler.wfile.write(content[start : None if cut is None else start + cut])


def redirect(to):
    def answer(handler):
        handler.send_response(302)
        handler.send_header("Location", to)
        handler.end_headers()

    return answer


@pytest.fixture
def server(root, monkeypatch):
    """The small shelf behind HTTP; `behave` holds what to do about a file by name."""
    monkeypatch.setenv("no_proxy", "*")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root))) as server:
        server.url = f"http://127.0.0.1:{server.server_port}/index.json"
        server.behave, server.asked = {}, defaultdict(list)
        server.send, server.redirect = send, redirect
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def remote(server, tmp_path):
    """The shelf behind the server, with an empty cache."""
    return Shelf(server.url, cache_dir=tmp_path / "cache")
