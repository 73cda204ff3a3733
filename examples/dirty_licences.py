"""
Spellings of one thing: groups, search and a join
=================================================

Every installed package says under which licence it is, each in its own words: "MIT", "MIT License",
"BSD 3-Clause", "3-clause BSD". Which of them are one thing, and which licence of a clean list is
meant?
"""

# %%
# The column
# ----------

from collections import Counter
from importlib.metadata import distributions

import matplotlib.pyplot as plt
import numpy as np

from sklearn_cclm.tables import deduplicate, match, similar


def licence(package):
    """Return the first line of what a package says of its licence, or None."""
    said = package.metadata.get("License-Expression") or package.metadata.get("License") or ""
    return said.strip().partition("\n")[0][:60] or None


column = [licence(package) for package in distributions()]
counts = Counter(filter(None, column))
print(f"{len(column)} packages, {len(counts)} spellings, such as {list(counts)[:8]}")

# %%
# Search
# ------
# By spelling and by meaning in equal shares, unless ``meaning`` says otherwise.

values, similarities = similar(column, ["apache two", "three clause BSD"], n_neighbors=3)
for row in zip(values, similarities.astype(float).round(2), strict=True):
    print({value: float(alike) for value, alike in zip(*row, strict=True)})

# %%
# Groups
# ------
# Each spelling becomes the most frequent one of its group. How alike the members of a group must
# be is found by the silhouettes of the groups, or given.

for least in (None, 0.6, 0.8):
    groups = deduplicate(column, min_similarity=least)
    print(f"min_similarity={least}: {len(set(groups) - {None})} groups")
groups = deduplicate(column)
one = {value: group for value, group in zip(column, groups, strict=True) if value != group}
for value, group in sorted(one.items())[:8]:
    print(f"{value} -> {group}")

# %%
# A join
# ------
# A clean table says which licences demand that changes are published. Rows that nothing is like
# stay without an answer.

names = [
    "MIT License", "BSD 3-Clause License", "BSD 2-Clause License", "Apache License 2.0",
    "Mozilla Public License 2.0", "GNU General Public License v3", "Python Software Foundation",
]  # fmt: skip
copyleft = np.array(["no", "no", "no", "no", "of files", "yes", "no"])
rows, similarities = match(column, names, min_similarity=0.3)
found = Counter(names[row] if row >= 0 else "no match" for row in rows)
print(dict(found))
print(dict(Counter(copyleft[rows[rows >= 0]].tolist())))

figure, axes = plt.subplots(1, 2, figsize=(10, 3.5), layout="constrained")
most = Counter(filter(None, groups)).most_common(8)[::-1]
axes[0].barh([name[:24] for name, _ in most], [n for _, n in most])
axes[0].set(title="groups of spellings", xlabel="packages")
axes[1].hist(similarities[[value is not None for value in column]], bins=20)
axes[1].axvline(0.3, color="black", linestyle=":")
axes[1].set(title="similarity to the nearest name", xlabel="similarity", ylabel="packages")

# %%
# Between spellings of one thing and two things alike there is no sharp border: look at what is
# nearest to it, and give ``min_similarity`` where a silhouette can not know better.
