"""A closed room for randomness: what is drawn inside, and what is left alone outside."""

import torch

from sklearn_cclm.nn.seeds import isolated_seed


def test_the_generator_of_the_cpu_is_seeded_and_given_back():
    before = torch.get_rng_state()
    with isolated_seed(3):
        drawn = torch.rand(4)
    assert torch.equal(drawn, torch.rand(4, generator=torch.Generator().manual_seed(3)))
    assert torch.equal(torch.get_rng_state(), before)


def test_generators_of_accelerators_stay_where_they_are(monkeypatch):
    seeded = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
    with isolated_seed(3):
        torch.rand(1)
    assert not seeded
