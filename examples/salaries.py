"""
Columns of a table: salaries from titles typed by hand
======================================================

What an employee earns is in the title of the position, and there are hundreds of these. Each title
becomes 30 numbers, which a gradient boosting reads beside the other columns. How well does that go
once titles are mistyped?
"""

# %%
# The table
# ---------
# Salaries of Montgomery County, from the folder that the environment variable CCLM_DATA names. The
# page needs it: without, it shows the same of the functions of scikit-learn, whose names and
# summaries say how long their documentation is.

import inspect
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import sklearn
from sklearn.compose import make_column_transformer
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.utils.discovery import all_functions

from sklearn_cclm import TextColumnEncoder, TypoNoise

path = Path(os.environ.get("CCLM_DATA", "../shared/data")) / "dirty_employee_salaries.csv.gz"
rows = 600 if os.environ.get("CCLM_QUICK") else 4000
if path.exists():
    frame = pd.read_csv(path)
    frame = frame.sample(min(rows, len(frame)), random_state=0)
    text, other, y = (
        ["employee_position_title", "division"],
        ["year_first_hired"],
        frame["current_annual_salary"],
    )
else:
    print(f"{path} is missing: set CCLM_DATA to the folder that holds it")
    functions = dict(all_functions())
    frame = pd.DataFrame({"function": list(functions)})
    frame["summary"] = [(f.__doc__ or "").strip().partition("\n")[0] for f in functions.values()]
    frame["parameters"] = [len(inspect.signature(f).parameters) for f in functions.values()]
    text, other = ["function", "summary"], ["parameters"]
    y = pd.Series([np.log1p(len(f.__doc__ or "")) for f in functions.values()])
print(sklearn.__version__, frame[text].nunique().to_dict())
frame[text].head()

# %%
# Two encoders
# ------------
# TF-IDF and a truncated singular value decomposition know the characters. `TextColumnEncoder`
# knows them, and what a tower says of them, in as many columns.


def lexical():
    return make_pipeline(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4)), TruncatedSVD(30, random_state=0)
    )


def model(encoder):
    columns = make_column_transformer(*[(encoder(), name) for name in text], ("passthrough", other))
    return make_pipeline(columns, HistGradientBoostingRegressor(random_state=0))


train, test, y_train, y_test = train_test_split(frame, y, random_state=0)
models = {
    name: model(encoder).fit(train, y_train)
    for name, encoder in {"TF-IDF": lexical, "TextColumnEncoder": TextColumnEncoder}.items()
}

# %%
# As titles are mistyped
# ----------------------
# Trees cut close to the values that they have seen. `TextColumnEncoder` draws a value towards the
# frequent ones that it nearly is. And half of the training rows once more, mistyped, teach trees to
# leave room.


def mistyped(part, rate, seed=0):
    noise = TypoNoise(rate=rate, random_state=seed)
    return part.assign(**{name: noise.transform(part[name]).tolist() for name in text})


half = train[::2]
more, y_more = pd.concat([train, mistyped(half, 0.1, seed=1)]), pd.concat([y_train, y_train[::2]])
for name, encoder in {"TF-IDF": lexical, "TextColumnEncoder": TextColumnEncoder}.items():
    models[f"{name}, typos learned"] = model(encoder).fit(more, y_more)
rates = (0, 0.05, 0.1, 0.2)
noisy = [mistyped(test, rate) for rate in rates]
figure, axes = plt.subplots(1, 2, figsize=(10, 3.5), layout="constrained")
for name, fitted in models.items():
    scores = [fitted.score(part, y_test) for part in noisy]
    print(f"{name:<32} R2 {np.round(scores, 3)}")
    axes[0].plot([100 * rate for rate in rates], scores, "o-", label=name)
axes[0].set(xlabel="letters mistyped, %", ylabel="R2")
axes[0].legend()

# %%
# Up to one letter in ten, drawing values towards frequent ones keeps most of what the trees know;
# trees that learn typos keep more, by either encoder.
#
# The columns themselves: distinct values in the first two directions that differ, coloured by what
# is predicted.

encoder = TextColumnEncoder().fit(frame[text[0]])
means = y.groupby(frame[text[0]].to_numpy()).mean()
places = encoder.transform(means.index)
shown = axes[1].scatter(places[:, 1], places[:, 2], c=means, s=12)
figure.colorbar(shown, ax=axes[1], label=f"mean of {y.name or 'y'}")
axes[1].set(xlabel=encoder.get_feature_names_out()[1], ylabel=encoder.get_feature_names_out()[2])
