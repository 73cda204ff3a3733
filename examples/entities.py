"""
Names in messages: found at once, and of kinds of one's own
===========================================================

The published tower finds persons, organisations, places and others. What else is to be found is
learned from a few messages, which noise in training makes robust.
"""

# %%
# What is published
# -----------------

import os

import matplotlib.pyplot as plt
import numpy as np

from sklearn_cclm import EntityPretrainer, TypoNoise
from sklearn_cclm.robustness import EntityDisplay, robustness_curve

names = EntityPretrainer.from_tower("en-entities")
for text in (
    "Where is teh nearset Starbcuks in San Fransisco?",
    "my name is john smith and i live in london",
):
    (spans,) = names.predict([text])
    print([(text[span.start : span.end], span.label, round(span.score, 2)) for span in spans])

# %%
# Messages with guests, hotels and dates
# --------------------------------------
# Those of the test have other names, hotels and dates.

MESSAGES = (
    "please book {hotel} for {guest} on {date}",
    "{guest} needs a quiet room at {hotel}",
    "is {hotel} free on {date} ?",
    "{guest} will arrive on {date} , not before",
    "cancel the booking of {guest} , thanks",
    "could you move us from {hotel} to {hotel} ?",
    "we loved the breakfast and will come again",
    "the wifi was slow and nobody answered the phone",
)
KNOWN = {
    "guest": "Ada Byron|Bob Marsh|Carol|Dean Watts|Mr Ellis|Ms Fontaine|Greta|Hugo Brandt",
    "hotel": "the Astoria|Hotel Bristol|Carlton Inn|the Dolphin|Park Lodge|Grand Hotel Excelsior",
    "date": "3 May|June 12|Friday|next Monday|24 December|tomorrow",
}
NEW = {
    "guest": "Ivan Petrov|Jane|Mrs Keller|Liam Moore|Nora Quist|Oscar",
    "hotel": "the Meridian|Hotel Neptune|Royal Inn|the Swan|Lake Lodge|Grand Hotel Ritz",
    "date": "7 July|August 30|Sunday|next Tuesday|1 March|tonight",
}


def messages(lists, n, seed):
    """Return tokens and tags of messages whose names are drawn from lists."""
    rng, rows = np.random.default_rng(seed), []
    for template in rng.choice(MESSAGES, n):
        tokens, tags = [], []
        for word in str(template).split():
            label = word.strip("{}") if word[0] == "{" else None
            name = str(rng.choice(lists[label].split("|"))).split() if label else [word]
            tokens += name
            tags += [f"{'I' if i else 'B'}-{label}" if label else "O" for i in range(len(name))]
        rows.append((tokens, tags))
    return map(list, zip(*rows, strict=True))


X, y = messages(KNOWN, 120, 0)
X_test, y_test = messages(NEW, 200, 1)

# %%
# Names shown by their shape alone, and mistyped besides
# ------------------------------------------------------
# By default three words in ten are scrambled in training, so that names are not learned by heart.

epochs = 2 if os.environ.get("CCLM_QUICK") else 20
how = {"max_epochs": epochs, "validation_fraction": 0.0, "random_state": 0}
mistyped = TypoNoise({"scramble": 3, "slip": 1}, rate=(0, 0.4))
taggers = {
    "scrambled": EntityPretrainer(**how),
    "mistyped besides": EntityPretrainer(noise=mistyped, **how),
}
rates, curves = (0, 0.05, 0.1, 0.2), {}
for name, tagger in taggers.items():
    curve = robustness_curve(tagger.fit(X, y), X_test, y_test, rates=rates, random_state=0)
    curves[name] = curve.scores.mean(axis=1)
    print(f"{name:<22} F1 {np.round(curves[name], 2)}")

# %%
# What is taken for what
# ----------------------
# In a notebook the display shows the messages with most mistakes, marked; `spans_html` shows one.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for name, scores in curves.items():
    left.plot([100 * rate for rate in rates], scores, "o-", label=name)
left.set(title="F1 over entities", xlabel="letters mistyped, %", ylim=(0, 1))
left.legend(loc="lower left")
EntityDisplay.from_estimator(taggers["mistyped besides"], X_test, y_test, ax=right)
