#!/usr/bin/env bash
# skops 0.16.0 stores an object's __dict__ and passes over its __reduce__ where that names a function:
# an object whose pickle would be made anew with other contents comes back with the old ones, without a
# word. Seen: pickle gives 300, skops gives 3. Whoever customises pickling must fill __getstate__ and
# __setstate__ as well for skops.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q skops==0.16.0 scikit-learn==1.9.1 numpy==2.4.6
cat > "$folder/boxes.py" <<'PY'
class Box:
    """A box that is packed in hundreds."""

    def __init__(self, x):
        self.x = x

    def __reduce__(self):
        return unpacked, (self.x * 100,)


def unpacked(x):
    return Box(x)
PY
cd "$folder"
venv/bin/python - <<'PY'
import pickle

import skops.io
from boxes import Box

by_pickle = pickle.loads(pickle.dumps(Box(3))).x
stored = skops.io.dumps(Box(3))
by_skops = skops.io.loads(stored, trusted=skops.io.get_untrusted_types(data=stored)).x
print("pickle gives", by_pickle, "and skops", by_skops)
assert (by_pickle, by_skops) == (300, 3)
PY
