#!/usr/bin/env bash
# wordllama 0.4.0.post1: its wheel carries weights (weights/) and tokenizer (tokenizers/) of the default model, but
# WordLlama.load() looks for the tokenizer in a folder "tokenizer" beside the module, which no wheel has, and so asks
# huggingface.co for a file that it has installed: offline the two lines of its README fail. The cache is looked up as
# "tokenizers", so that cache_dir set to the package's own folder, with disable_download=True, loads it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q wordllama==0.4.0.post1 numpy==2.4.6
HOME="$folder" "$folder/venv/bin/python" - <<'PY'
from pathlib import Path
from unittest.mock import patch

import requests
import wordllama

package = Path(wordllama.__file__).parent
name = "l2_supercat_tokenizer_config.json"
assert (package / "tokenizers" / name).is_file(), "the wheel carries no tokenizer now"
asked = []


def offline(url, **how):
    asked.append(url)
    raise requests.ConnectionError("no network here")


with patch.object(requests, "get", offline):
    try:
        wordllama.WordLlama.load()
    except FileNotFoundError as error:
        print("WordLlama.load():", type(error).__name__, error)
    else:
        raise SystemExit("WordLlama.load() finds its own tokenizer now")
    assert [url.rpartition("/")[2] for url in asked] == [name], asked
    model = wordllama.WordLlama.load(cache_dir=package, disable_download=True)
print("from its own folder:", model.embed(["a text"]).shape)
PY
