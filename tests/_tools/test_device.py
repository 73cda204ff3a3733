"""Where networks compute: as of machines with a GPU, which this one need not have."""

import pytest
import torch

from sklearn_cclm import MaskedCharacterPretrainer
from sklearn_cclm._tools.device import resolve_device


def pretend(monkeypatch, *, there, forked=False):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setattr(torch.cuda, "_is_in_bad_fork", lambda: forked)


def test_auto_is_the_gpu_where_there_is_one_but_in_a_fork_of_what_used_it(monkeypatch):
    pretend(monkeypatch, there=False)
    assert resolve_device("auto").type == "cpu"
    pretend(monkeypatch, there=True)
    assert resolve_device("auto").type == "cuda"
    pretend(monkeypatch, there=True, forked=True)
    assert resolve_device("auto").type == "cpu"


def test_a_gpu_that_is_not_there_is_named_with_what_to_do(monkeypatch):
    pretend(monkeypatch, there=False)
    for call in (
        lambda: resolve_device("cuda:0"),  # as of what was fitted elsewhere
        lambda: MaskedCharacterPretrainer(device="cuda:0").fit(["text"]),
    ):
        with pytest.raises(ValueError, match="'cuda:0', and torch finds no CUDA here: set device="):
            call()
