"""The words of a batch."""

import numpy as np

from sklearn_cclm._targets.word_layout import word_layout, word_tags


def layout(*texts):
    points = np.array([ord(character) for text in texts for character in text], dtype=np.uint32)
    return word_layout(points, np.repeat(np.arange(len(texts)), [len(text) for text in texts]))


def test_words_of_several_texts():
    found = layout("Hi  @Ada2", "", "x", " ")
    assert found["words"].tolist() == [0, 0, -1, -1, 1, 2, 2, 2, 2, 3, -1]
    assert found["rows"].tolist() == [0, 0, 0, 2]
    assert found["columns"].tolist() == [0, 1, 2, 0]
    capital, small, _, digit, handle, _ = np.eye(6)
    first, means = found["shapes"][:, :6], found["shapes"][:, 6:]
    np.testing.assert_allclose(first, [capital, handle, capital, small])
    np.testing.assert_allclose(means[2], capital / 4 + small / 2 + digit / 4)


def test_no_word_at_all():
    for texts in ((), ("",), ("  ", "")):
        found = layout(*texts)
        assert found["shapes"].shape == (0, 12)
        assert (
            word_tags(np.zeros(len("".join(texts)), int), found["words"], found["rows"]).size == 0
        )


def test_a_word_is_what_most_of_its_characters_are():
    found = layout("New Yorkand", "York York")
    tags = [3, 4, 4, 4, 4, 4, 4, 4, 0, 0, 0, *[4, 4, 4, 4, 0, 4, 4, 4, 4]]
    said = word_tags(np.array(tags), found["words"], found["columns"])
    assert said.tolist() == [3, 4, 3, 4]  # the first of a text begins, whatever noise took of it
    tags[11 + 5] = 3
    assert word_tags(np.array(tags), found["words"], found["columns"]).tolist() == [3, 4, 3, 3]
