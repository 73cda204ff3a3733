"""What is no task, or one without a name, is told before anything is trained."""

import pytest
from tiny import tiny

from sklearn_cclm import TaskPretrainer
from sklearn_cclm.pretraining.masked_character import MaskedCharacters

TEXTS = ["some text", "more text"] * 4


class Numbered(MaskedCharacters):
    name = 3


class Nameless(MaskedCharacters):
    name = ""


@pytest.mark.parametrize(
    ("task", "match"),
    [
        (None, "task=None must be a Task"),
        (MaskedCharacters, "must be a Task, such as a subclass's object"),
        (Numbered(mask_rate=0.2, span_length=0), "must have a name, a str of its class, got 3"),
        (Nameless(mask_rate=0.2, span_length=0), "must have a name, a str of its class, got ''"),
    ],
)
def test_what_is_no_task(task, match):
    pretrainer = tiny("TaskPretrainer", TaskPretrainer).set_params(task=task)
    with pytest.raises(TypeError, match=match):
        pretrainer.fit(TEXTS)
