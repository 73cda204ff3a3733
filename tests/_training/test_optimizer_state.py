"""An optimizer's state goes where that optimizer wants it, on whatever device."""

import copy

import pytest
import torch
from torch import nn

from sklearn_cclm._training.optimizer_state import named_state, take_state
from sklearn_cclm.nn.optim import LazyAdamW


def stepped(module, optimizer):
    for parameter in module.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    return named_state(module, optimizer)


@pytest.mark.parametrize("on_device", [False, True])
def test_steps_are_counted_where_the_optimizer_has_them(on_device):
    """A fused one reads them on the device; from the CPU it would read other memory."""
    module = nn.Linear(2, 3)
    saved = stepped(module, torch.optim.AdamW(module.parameters()))
    elsewhere = copy.deepcopy(module).to("meta")
    optimizer = torch.optim.AdamW(elsewhere.parameters(), capturable=on_device)
    take_state(saved, elsewhere, optimizer)
    for state in optimizer.state.values():
        assert state["step"].device.type == ("meta" if on_device else "cpu")
        assert state["exp_avg"].device.type == "meta"
    assert len(optimizer.state) == 2


def test_state_is_a_copy_by_names_in_whatever_order_of_groups():
    module = nn.Linear(2, 3)
    optimizer = LazyAdamW(module.parameters())
    saved = stepped(module, optimizer)
    kept = copy.deepcopy(saved)
    again = LazyAdamW([{"params": [module.bias], "lr": 0.5}, {"params": [module.weight]}])
    take_state(saved, module, again)
    assert again.state[module.weight]["exp_avg"].shape == (3, 2)
    assert [group["lr"] for group in again.param_groups] == [0.5, 1e-3]
    again.step()
    for name, state in saved["state"].items():
        for key, value in state.items():
            assert (value == kept["state"][name][key]).all()
    take_state(saved, module, torch.optim.SGD(module.parameters()))  # of another kind: not taken
