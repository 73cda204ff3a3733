"""Draw the packages and their imports, as they are, for the page on the architecture."""

from __future__ import annotations

import sys
from pathlib import Path

import grimp
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

ROOT = "sklearn_cclm"


def arrows() -> dict[str, set[str]]:
    """Return for each package of the root those that it imports."""
    graph = grimp.build_graph(ROOT)
    found: dict[str, set[str]] = {child: set() for child in graph.find_children(ROOT)}
    for package, imported in found.items():
        for module in {package, *graph.find_descendants(package)}:
            for other in graph.find_modules_directly_imported_by(module):
                home = ".".join(other.split(".")[:2])
                if home in found and home != package:
                    imported.add(home)
    return {_short(p): set(map(_short, others)) for p, others in sorted(found.items())}


def floors(imports: dict[str, set[str]]) -> list[list[str]]:
    """Return packages floor by floor: each stands one above the highest that it imports."""
    level: dict[str, int] = {}

    def height(package: str) -> int:
        if package not in level:
            level[package] = 1 + max(map(height, imports[package]), default=-1)
        return level[package]

    top = max(map(height, imports))
    return [sorted(p for p in imports if level[p] == floor) for floor in range(top + 1)]


def essential(imports: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return the imports that do not follow from others: what a package's imports import."""

    def all_below(package: str) -> set[str]:
        return imports[package].union(*map(all_below, imports[package]))

    return {
        package: others - set().union(*map(all_below, others))
        for package, others in imports.items()
    }


def places(imports: dict[str, set[str]]) -> dict[str, tuple[float, int]]:
    """Return where each package is drawn: on its floor, and near what it imports."""
    found: dict[str, tuple[float, int]] = {}
    for floor, story in enumerate(floors(imports)):

        def middle(package: str) -> float:
            below = [found[other][0] for other in imports[package]]
            return sum(below) / len(below) if below else 0.5

        ordered = sorted(story, key=middle)
        for column, package in enumerate(ordered):
            found[package] = (column + 0.5) / len(ordered), floor
    return found


def draw(path: Path) -> None:
    """Draw the packages on their floors, and the imports that do not follow from others."""
    imports = arrows()
    at = places(imports)
    n_floors = 1 + max(floor for _, floor in at.values())
    figure, ax = plt.subplots(figsize=(8, 0.8 * n_floors), layout="constrained")
    box = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": "0.3"}
    texts = {
        package: ax.text(x, y, package, ha="center", va="center", family="monospace", bbox=box)
        for package, (x, y) in at.items()
    }
    for package, others in essential(imports).items():
        for other in others:
            ends = {
                f"patch{end}": texts[p].get_bbox_patch()
                for end, p in zip("AB", (package, other), strict=True)
            }
            style = {"arrowstyle": "->", "color": "0.55", "shrinkA": 2, "shrinkB": 2}
            ax.annotate(
                "", xy=at[other], xytext=at[package], arrowprops={**style, **ends}, zorder=0
            )
    ax.set(xlim=(0, 1), ylim=(-0.6, n_floors - 0.4))
    ax.axis("off")
    figure.savefig(path)
    plt.close(figure)


def _short(module: str) -> str:
    return module.removeprefix(f"{ROOT}.")


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
