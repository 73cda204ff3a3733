"""What is no list of named parts is refused with the list to write, by every composition."""

import pytest

from sklearn_cclm import (
    ComposedClassifier,
    ComposedEmbedder,
    ComposedModel,
    ComposedRegressor,
    ComposedTagger,
    MaskedCharacterPretrainer,
    MultiTaskPretrainer,
    Shelf,
    make_composed,
)

CHARS = MaskedCharacterPretrainer()
TOWER = Shelf().fetch("en-semantic")
PAIRS = [
    ("en-semantic", r"\[\('en-semantic', 'en-semantic'\)\]"),
    (TOWER, r"\[\('distillation', Tower\("),
    (CHARS, r"\[\('masked_character', MaskedCharacterPretrainer\(\)\)\]"),
    ([CHARS, CHARS], r"\[\('masked_character-1', .*\), \('masked_character-2', "),
    (["en-mlm", "en-semantic"], r"\[\('en-mlm', 'en-mlm'\), \('en-semantic', 'en-semantic'\)\]"),
    (["ab", "cd"], r"\[\('ab', 'ab'\), \('cd', 'cd'\)\]"),  # whose letters are no pairs
    ([("a", TOWER), TOWER], r"\[\('a', Tower\(.*\), \('distillation', Tower\("),
    ({"ab": TOWER}, r"list\(mapping\.items\(\)\)"),
    (("a", TOWER), "put the pair in a list"),
]
COMPOSITIONS = {
    ComposedEmbedder: "towers", ComposedModel: "towers", ComposedClassifier: "towers",
    ComposedRegressor: "towers", ComposedTagger: "towers", MultiTaskPretrainer: "tasks",
}  # fmt: skip


@pytest.mark.parametrize("cls", COMPOSITIONS)
@pytest.mark.parametrize(("parts", "line"), PAIRS)
def test_advice_is_the_list_to_write(cls, parts, line):
    name = COMPOSITIONS[cls]
    with pytest.raises(ValueError, match=rf"{name}=.* must be a list of .* pairs.*: .*{line}"):
        cls(parts).fit(["a b", "c d"], [[], []] if cls is ComposedTagger else [0, 1])


@pytest.mark.parametrize(
    "parts", [[], (), "", 3, {}, [3], ComposedEmbedder, [("a", TOWER, 1)], iter([("a", TOWER)])]
)
def test_what_cannot_be_told_has_no_advice(parts):
    with pytest.raises(ValueError, match=r"pairs, at least one\.$"):
        ComposedEmbedder(parts).fit(["a b"])


def test_function_that_finds_names_is_named():
    with pytest.raises(ValueError, match="or let make_composed find names"):
        ComposedEmbedder("en-semantic").fit(["a b"])
    found = make_composed("en-semantic").fit(["a b"])
    assert found.towers == [("en-semantic", "en-semantic")]
