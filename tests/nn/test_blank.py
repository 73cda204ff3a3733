"""Networks that are built without random weights."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from sklearn_cclm import CCLMModelBase
from sklearn_cclm.nn._blank import Blank

DRAWS = [
    lambda: nn.Embedding(50, 4, padding_idx=0),
    lambda: nn.Linear(4, 50),
    lambda: nn.init.normal_(torch.empty(9)),
    lambda: nn.init.uniform_(torch.empty(9)),
    lambda: nn.MultiheadAttention(8, 2),
    lambda: nn.Conv1d(3, 3, 3),
]


@pytest.mark.parametrize("draw", DRAWS)
def test_nothing_is_drawn(draw):
    before = torch.random.get_rng_state()
    with Blank():
        draw()
    assert torch.equal(torch.random.get_rng_state(), before)
    draw()
    assert not torch.equal(torch.random.get_rng_state(), before)
    torch.random.set_rng_state(before)


def test_other_functions_do_what_they_do():
    with Blank():
        layer = nn.LayerNorm(3)
        assert torch.equal(layer(torch.tensor([[1.0, 2, 3]])).sum(), torch.tensor(0.0))
        assert torch.equal(nn.init.constant_(torch.empty(2), 3), torch.full((2,), 3.0))


def test_shapes_are_known_without_the_compiler():
    code = (
        "import sys; from sklearn_cclm.architectures import StridedConfig, _registry;"
        "from sklearn_cclm._engines.shapes import state_shapes;"
        "config = _registry.to_dict(StridedConfig());"
        "state_shapes('tower', 'strided', config, base_width=8);"
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=120)


def test_values_are_built_without_drawing(monkeypatch):
    base = CCLMModelBase(width=8, n_buckets=50).fit(["a text"]).base_
    monkeypatch.setattr(torch.Tensor, "normal_", lambda *args: pytest.fail("numbers were drawn"))
    assert torch.equal(base.build().table.weight, torch.tensor(base.weights["table.weight"]))
