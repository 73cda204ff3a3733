"""How sure classifiers of banking77 are as its texts are mistyped, and what they refuse to answer.

Example: ``python benchmarks/calibration.py --figure docs/user_guide/calibration.svg``
"""

import argparse
from pathlib import Path

import numpy as np
from _data import few_per_class, read_banking77, read_csv
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_cclm import ComposedEmbedder, TypoNoise
from sklearn_cclm.robustness import RobustnessDisplay, robustness_curve

RATES = (0.0, 0.05, 0.1, 0.2)
SCORES = ("accuracy", "mean_confidence", "neg_expected_calibration_error", "neg_log_loss")
KEPT = 0.95  # of the texts that calibrate, how many are answered
NO_QUESTIONS = {
    "empty": ["", " ", "\n"],
    "digits": ["12345", "0 0 0", "4111 1111"],
    "other languages": ["Wo ist der Bahnhof?", "¿Qué hora es?", "Где моя карта?", "今日は寒い"],
}


def models(texts, labels, n_per_class, seed=0):
    """Return a classifier, and it with temperatures learned from clean and from mistyped texts."""
    rows = few_per_class(labels, n_per_class, seed)
    others = np.setdiff1d(np.arange(len(texts)), rows)
    held = few_per_class(labels[others], 5, seed)
    X, y = texts[others][held], labels[others][held]
    plain = make_pipeline(ComposedEmbedder(lexical=True), LogisticRegression(C=30, max_iter=2000))
    plain.fit(texts[rows], labels[rows])
    noisy = TypoNoise(rate=0.1, random_state=seed).transform(X)

    def tempered(texts):
        return CalibratedClassifierCV(FrozenEstimator(plain), method="temperature").fit(texts, y)

    found = {"as fitted": plain, "clean": tempered(X), "mistyped": tempered(noisy)}
    return found, (X, noisy)


def refused(model, texts, threshold):
    """Return the share of texts of which the model is less sure than the threshold."""
    return float((model.predict_proba(texts).max(axis=1) < threshold).mean())


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--per-class", type=int, default=20, help="texts to learn from (20)")
    parser.add_argument("--figure", type=Path, help="where to draw the curves")
    options = parser.parse_args()
    (texts, labels), (test, right) = [
        (np.array(X, dtype=object), np.array(y)) for X, y in read_banking77()
    ]
    found, (held, noisy) = models(texts, labels, options.per_class)
    for name, model in found.items():
        for scoring in SCORES:
            curve = robustness_curve(model, test, right, rates=RATES, scoring=scoring, n_repeats=1)
            print(f"{name:12} {scoring:32} {' '.join(f'{mean:7.3f}' for mean in curve.mean)}")
    tweets = [row["text"] for row in read_csv("tweet_emotion.csv.gz")][:1000]
    strange = {**NO_QUESTIONS, "tweets": tweets}
    for name, model in found.items():
        calibrated_on = noisy if name == "mistyped" else held
        sure = model.predict_proba(calibrated_on).max(axis=1)
        threshold = float(np.quantile(sure, 1 - KEPT))
        shares = {"test": refused(model, test, threshold)}
        shares |= {kind: refused(model, some, threshold) for kind, some in strange.items()}
        answered = model.predict_proba(test).max(axis=1) >= threshold
        accuracy = (model.predict(test) == right)[answered].mean()
        print(f"{name:12} threshold {threshold:.3f}, accuracy of answers {accuracy:.3f}, refused: ")
        print("  " + ", ".join(f"{kind} {share:.2f}" for kind, share in shares.items()))
        print(f"  sure of '': {model.predict_proba(['']).max():.3f}")
    if options.figure:
        tempered = {"with a temperature, of mistyped texts": found["mistyped"]}
        drawn = {"as fitted": found["as fitted"], **tempered}
        display = RobustnessDisplay.from_estimators(
            drawn, test, right, rates=RATES, n_repeats=1, confidence=True
        )
        display.ax_.set_ylim(0, 1)
        display.figure_.savefig(options.figure, metadata={"Date": None})


if __name__ == "__main__":
    main()
