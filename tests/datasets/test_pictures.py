import numpy as np

from sklearn_cclm.datasets import load_pictures


def test_names_are_distinct_and_of_all_kinds():
    pictures = load_pictures()
    assert len(set(pictures.data)) == len(pictures.data) == len(pictures.target) > 600
    assert pictures.target_names == sorted(pictures.target_names)
    assert np.bincount(pictures.target, minlength=13).min() >= 15
    assert pictures.target.dtype == np.int64
    assert all(name == name.lower().strip() for name in pictures.data)


def test_kinds_are_right():
    pictures = load_pictures()
    kinds = dict(zip(pictures.data, np.array(pictures.target_names)[pictures.target], strict=True))
    assert kinds["tiger"] == "animal"
    assert kinds["fire engine"] == "vehicle"
    assert kinds["wrapped present"] == "party"


def test_two_values():
    data, target = load_pictures(return_X_y=True)
    assert data == load_pictures().data
    np.testing.assert_array_equal(target, load_pictures().target)
