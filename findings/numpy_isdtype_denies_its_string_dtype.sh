#!/usr/bin/env bash
# numpy 2.4.6: np.isdtype says of numpy's own StringDType, an instance and in an array alike, that it "must be
# a NumPy dtype". scikit-learn 1.9.1 asks it of every y, so that a column of labels in the new string type stops
# LogisticRegression.fit with that TypeError. Nor can y.astype(str) help, which numpy refuses too, where it does
# for every other array; y.astype(object) or astype("U4") do.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import numpy as np
from sklearn.linear_model import LogisticRegression

SAID = "must be a NumPy dtype"
X = np.arange(20.0)[:, None]
y = np.array(["low"] * 10 + ["high"] * 10, dtype=np.dtypes.StringDType())
assert isinstance(y.dtype, np.dtype)
for name, call in {
    "np.isdtype": lambda: np.isdtype(y.dtype, "real floating"),
    "LogisticRegression.fit": lambda: LogisticRegression().fit(X, y),
}.items():
    try:
        call()
    except TypeError as error:
        print(f"{name}: TypeError: {error}")
        assert SAID in str(error)
    else:
        raise SystemExit(f"{name} takes StringDType now")
try:
    y.astype(str)
except TypeError as error:
    print("astype(str): TypeError:", error)
else:
    raise SystemExit("astype(str) takes StringDType now")
for dtype in (object, "U4"):
    print("as", dtype, LogisticRegression().fit(X, y.astype(dtype)).classes_)
PY
