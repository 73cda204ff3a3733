"""Shelves behind a real HTTP server, and on the hub through a client that asks nobody."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from sklearn_cclm import Shelf
from sklearn_cclm.shelf import ShelfError

try:
    import httpx2 as httpx  # of the hub's client
except ImportError:  # before version 2 of it
    import httpx

WEIGHTS = "model.safetensors"


def stop(server):
    """Have no network any more."""
    server.shutdown()
    server.server_close()


def cached(shelf):
    return Path(shelf.cache_dir, "artefacts", shelf.entry("tiny").sha256, WEIGHTS)


def parts(shelf):
    return list(Path(shelf.cache_dir, "parts").iterdir())


def test_fetched_once_needs_no_network(remote, server, newer):
    assert remote.fetch("tiny") == newer
    stop(server)
    again = Shelf(server.url, cache_dir=remote.cache_dir)
    assert again.fetch("tiny") == newer
    assert again.list() == ["tiny", "tiny-base"]
    with pytest.raises(ConnectionError, match="copy the shelf's directory and pass its path"):
        again.fetch("tiny-base")
    assert {name: len(asked) for name, asked in server.asked.items()} == {
        "index.json": 1, "config.json": 1, WEIGHTS: 1,
    }  # fmt: skip


def test_no_network_says_what_to_do(server, tmp_path):
    stop(server)
    with pytest.raises(ConnectionError, match=r"cannot be reached.*needs no network.*as index"):
        Shelf(server.url, cache_dir=tmp_path / "cache").list()


def test_cache_directory_comes_from_the_environment(server, tmp_path, monkeypatch):
    monkeypatch.setenv("SKLEARN_CCLM_CACHE", str(tmp_path / "one"))
    Shelf(server.url).list()
    monkeypatch.delenv("SKLEARN_CCLM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "two"))
    Shelf(server.url).list()
    for folder in (tmp_path / "one", tmp_path / "two" / "sklearn_cclm"):
        assert len(list((folder / "indexes").iterdir())) == 1


def test_refresh_shows_what_was_published_since(remote, shelf, base, said):
    assert remote.list() == ["tiny", "tiny-base"]
    shelf.publish(base, "another", **said)
    with pytest.raises(ShelfError, match=r"call refresh\(\)"):
        remote.fetch("another")
    assert remote.refresh().fetch("another") == base


def test_verify_reads_all_of_it(remote, server):
    assert len(remote.verify()) == 3
    assert len(server.asked[WEIGHTS]) == 3


def test_broken_transfer_goes_on_where_it_broke(remote, server, newer):
    server.behave[WEIGHTS] = partial(server.send, cut=1000)
    with pytest.raises(ConnectionError, match="broke off 3 times, last after 3000 of"):
        remote.fetch("tiny")
    assert server.asked[WEIGHTS] == [None, "bytes=1000-", "bytes=2000-"]
    del server.behave[WEIGHTS]
    assert remote.fetch("tiny") == newer  # another fetch goes on as well
    assert server.asked[WEIGHTS][3:] == ["bytes=3000-"]
    assert parts(remote) == []


def test_part_that_is_too_long_begins_anew(remote, server, newer):
    entry = remote.entry("tiny")
    folder = Path(remote.cache_dir, "parts")
    folder.mkdir(parents=True)
    for name, file in entry.files.items():
        (folder / f"{entry.sha256}-{name}").write_bytes(b"x" * (file.size + 10))
    assert remote.fetch("tiny") == newer
    assert parts(remote) == []


def test_break_is_mended_within_one_fetch(remote, server, newer):
    def once(handler):
        del server.behave[WEIGHTS]
        server.send(handler, cut=1000)

    server.behave[WEIGHTS] = once
    assert remote.fetch("tiny") == newer
    assert server.asked[WEIGHTS] == [None, "bytes=1000-"]


def test_server_without_ranges_sends_all_again(remote, server, newer):
    def once(handler):
        server.behave[WEIGHTS] = partial(server.send, ranges=False)
        server.send(handler, cut=1000)

    server.behave[WEIGHTS] = once
    assert remote.fetch("tiny") == newer


def test_server_that_tells_no_size_is_read(remote, server, newer):
    server.behave[WEIGHTS] = server.behave["index.json"] = partial(server.send, sized=False)
    assert remote.fetch("tiny") == newer


def test_broken_index_is_not_kept(remote, server):
    server.behave["index.json"] = partial(server.send, cut=100)
    with pytest.raises(ConnectionError, match="broke off"):
        remote.list()
    server.behave["index.json"] = partial(server.send, content=b"{}")
    with pytest.raises(ShelfError, match="is not valid"):
        remote.list()
    del server.behave["index.json"]
    assert remote.list() == ["tiny", "tiny-base"]


def stalled(handler):
    """Begin an answer, and say no more until the reader has gone."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(handler.content())))
    handler.end_headers()
    handler.rfile.read(1)


def cut_in_a_chunk(handler):
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"ff\r\n{")


def asks_for_a_password(handler):
    handler.send_error(407)


def no_http(handler):
    handler.wfile.write(b"what?\r\n\r\n")


FAULTS = [stalled, cut_in_a_chunk, asks_for_a_password, no_http]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ["index.json", WEIGHTS])
def test_what_a_network_does_is_a_connection_error(remote, server, newer, name, fault, monkeypatch):
    monkeypatch.setattr("sklearn_cclm.shelf._http.TIMEOUT", 0.1)
    server.behave[name] = fault
    with pytest.raises(ConnectionError, match="copy the shelf's directory"):
        remote.fetch("tiny")
    del server.behave[name]
    monkeypatch.setattr("sklearn_cclm.shelf._http.TIMEOUT", 60)  # on a busy machine, too
    assert remote.fetch("tiny") == newer


def test_server_without_tls_is_a_connection_error(server, tmp_path):
    url = server.url.replace("http:", "https:")
    with pytest.raises(ConnectionError, match="cannot be reached"):
        Shelf(url, cache_dir=tmp_path / "cache").list()


@pytest.mark.parametrize("sized", [True, False])
def test_more_bytes_than_the_index_says_are_refused(remote, server, sized):
    size = remote.entry("tiny").files[WEIGHTS].size
    server.behave[WEIGHTS] = partial(server.send, content=bytes(size + 1), sized=sized)
    with pytest.raises(ShelfError, match=f"its size is not {size} bytes"):
        remote.fetch("tiny")
    assert parts(remote) == []


def test_endless_file_is_left(remote, server):
    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(bytes(1 << 16))
        except OSError:
            pass

    server.behave[WEIGHTS] = endless
    with pytest.raises(ShelfError, match="its size is not"):
        remote.fetch("tiny")


def test_fewer_bytes_than_the_index_says_are_refused(remote, server):
    server.behave[WEIGHTS] = partial(server.send, content=b"short")
    with pytest.raises(ShelfError, match="its size is not"):
        remote.fetch("tiny")


def test_wrong_hash_is_refused_and_nothing_kept(remote, server, newer):
    size = remote.entry("tiny").files[WEIGHTS].size
    server.behave[WEIGHTS] = partial(server.send, content=bytes(size))
    with pytest.raises(ShelfError, match="its sha256 is another. Nothing of it was kept"):
        remote.fetch("tiny")
    assert parts(remote) == []
    del server.behave[WEIGHTS]
    assert remote.fetch("tiny") == newer


def test_redirect_within_the_host_is_followed(remote, server, newer):
    server.behave[WEIGHTS] = server.redirect(f"/{remote.entry('tiny').folder}/{WEIGHTS}?again")
    assert remote.fetch("tiny") == newer


@pytest.mark.parametrize(
    "to",
    [
        "http://localhost:{port}/index.json",
        "http://127.0.0.1:1/index.json",
        "https://elsewhere.invalid/index.json",
        "//elsewhere.invalid/index.json",
        "ftp://127.0.0.1:{port}/index.json",
        "file:///index.json",
    ],
)
@pytest.mark.parametrize("name", ["index.json", WEIGHTS])
def test_redirect_to_another_host_is_refused(remote, server, name, to):
    server.behave[name] = server.redirect(to.format(port=server.server_port))
    with pytest.raises(ShelfError, match="(?i)redirect"):
        remote.fetch("tiny")


def test_https_never_becomes_http():
    from urllib.request import Request

    from sklearn_cclm.shelf._http import _SameHost

    class Answer:
        def close(self):
            pass

    follow = partial(_SameHost().redirect_request, fp=Answer(), code=302, msg="", headers={})
    with pytest.raises(ShelfError, match="which is not followed"):
        follow(Request("https://host/a"), newurl="http://host/a")
    assert follow(Request("http://host/a"), newurl="https://host/a").full_url == "https://host/a"


def test_missing_file_says_which(remote, shelf):
    Path(shelf.index, shelf.entry("tiny").folder, WEIGHTS).unlink()
    with pytest.raises(ShelfError, match=f"{WEIGHTS} answers 404"):
        remote.fetch("tiny")


def test_damaged_cache_is_found_and_fetched_again(remote, server, newer):
    remote.fetch("tiny")
    path = cached(remote)
    path.write_bytes(bytes(path.stat().st_size))
    assert remote.fetch("tiny") == newer
    path.write_bytes(b"short")
    assert remote.fetch("tiny") == newer
    assert len(server.asked[WEIGHTS]) == 3
    assert len(server.asked["config.json"]) == 1


def test_several_processes_fetch_at_once(remote, server, newer):
    code = (
        "import sys; from sklearn_cclm import Shelf; print('ready', flush=True); input()\n"
        "shelf = Shelf(sys.argv[1], cache_dir=sys.argv[2])\n"
        "print(shelf._source().artefact(shelf.entry('tiny')).name)"
    )
    command = [sys.executable, "-c", code, server.url, str(remote.cache_dir)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(4)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    found = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert found == [remote.entry("tiny").sha256] * 4
    assert len(server.asked[WEIGHTS]) == 1  # the others waited
    assert parts(remote) == []
    stop(server)
    assert remote.fetch("tiny") == newer


@pytest.fixture
def hub(root, monkeypatch):
    """Replace the hub's client by one that reads a directory; holds what was asked of it."""
    asked = []

    def download(repo_id, filename, *, revision):
        asked.append((repo_id, filename, revision))
        return str(root / filename)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    return asked


def test_hub_is_read_at_a_commit(hub, tmp_path, newer):
    commit = "0123456789" * 4
    shelf = Shelf(f"hf://owner/some-shelf@{commit}", cache_dir=tmp_path / "cache")
    assert shelf.fetch("tiny") == shelf.fetch("tiny") == newer
    assert {(repository, revision) for repository, _, revision in hub} == {
        ("owner/some-shelf", commit)
    }
    files = [name for _, name, _ in hub if name != "index.json"]
    assert files == [f"{shelf.entry('tiny').folder}/{name}" for name in ("config.json", WEIGHTS)]


def test_hub_that_serves_other_bytes_is_refused(hub, root, tmp_path):
    shelf = Shelf(f"hf://owner/shelf@{'a' * 40}", cache_dir=tmp_path / "cache")
    Path(root, shelf.entry("tiny").folder, WEIGHTS).write_bytes(b"other")
    with pytest.raises(ShelfError, match="its sha256 is another"):
        shelf.fetch("tiny")


@pytest.mark.parametrize(
    "error",
    [OSError, ValueError, httpx.ProxyError, httpx.RemoteProtocolError, httpx.ReadTimeout],
)
def test_hub_out_of_reach_says_what_to_do(tmp_path, monkeypatch, error):
    def download(*args, **kwargs):
        raise error("no route")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    with pytest.raises(ConnectionError, match=r"no route.*check the connection and the commit"):
        Shelf(f"hf://owner/shelf@{'a' * 40}", cache_dir=tmp_path).list()


def test_hub_without_its_client_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"sklearn-cclm\[hub\]"):
        Shelf(f"hf://owner/shelf@{'a' * 40}", cache_dir=tmp_path).list()


def test_index_cannot_lead_out_of_the_shelf(remote, root):
    path = root / "index.json"
    index = json.loads(path.read_text(encoding="utf-8"))
    index["entries"][0]["name"] = "../../elsewhere"
    path.write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(ShelfError, match="must be lower-case"):
        remote.list()
