from concurrent.futures import ThreadPoolExecutor

from sklearn_cclm._tools.lazy import lazy


class Thing:
    n_computed = 0

    def __init__(self, compute=int):
        self._compute = compute

    @lazy
    def value(self):
        self.n_computed += 1
        return self._compute()


def test_computed_once():
    thing = Thing()
    assert (thing.value, thing.value, thing.n_computed) == (0, 0, 1)
    assert isinstance(Thing.value, lazy)  # as numpydoc asks classes for their members


def test_no_thread_waits_for_another_instance():
    with ThreadPoolExecutor(1) as pool:
        other = Thing(lambda: 2)
        assert Thing(lambda: pool.submit(getattr, other, "value").result(timeout=10)).value == 2
