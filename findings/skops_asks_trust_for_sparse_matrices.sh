#!/usr/bin/env bash
# skops 0.16.0 stores matrices of scipy.sparse as arrays, by code of its own, and yet does not trust them: a neighbour
# classifier of scikit-learn that was fitted to sparse features, or any object that keeps a sparse matrix, does not
# load until its reader trusts the name of a private module of scipy. Fitted to the same dense features it loads
# without a word. Seen with scipy 1.17.1: ['scipy.sparse._csr.csr_matrix'] and []. So a list of names to trust depends
# on the data that a model was fitted to, and may change with scipy.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q skops==0.16.0 scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import io
import zipfile

import numpy as np
import skops.io
from scipy.sparse import csr_matrix
from sklearn.neighbors import KNeighborsClassifier

found = []
for X in (csr_matrix(np.eye(3)), np.eye(3)):
    stored = skops.io.dumps(KNeighborsClassifier(1).fit(X, [0, 1, 2]))
    found.append(skops.io.get_untrusted_types(data=stored))
    kinds = {name.rpartition(".")[2] for name in zipfile.ZipFile(io.BytesIO(stored)).namelist()}
    print(type(X).__name__, "asks to trust", found[-1], "and is stored as", sorted(kinds))
assert found == [["scipy.sparse._csr.csr_matrix"], []], found
PY
