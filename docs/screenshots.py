"""Take pictures of built pages, as wide as a phone and as a desk's screen shows them.

    python docs/screenshots.py FOLDER [PAGE ...]

Needs Chromium, and the pages in docs/_build/html; PAGE is such as "user_guide/speed.html".
"""

import subprocess
import sys
import tempfile
from pathlib import Path

BUILT = Path(__file__).parent / "_build" / "html"
SIZES = {390: 3000, 1400: 1800}
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def framed(page, width, height):
    """Return a page that shows another in a frame, since no window is as narrow as a phone."""
    style = f"width:{width}px;height:{height}px;border:0"
    return f'<body style="margin:0"><iframe src="{page.as_uri()}" style="{style}"></iframe>'


def shoot(page, width, height, picture):
    """Write the picture of a page."""
    with tempfile.TemporaryDirectory() as profile:
        frame = Path(profile, "frame.html")
        frame.write_text(framed(page, width, height), encoding="utf-8")
        subprocess.run(
            [
                "chromium", *FLAGS, f"--user-data-dir={profile}", "--timeout=20000",
                f"--window-size={width},{height}", f"--screenshot={picture}", frame.as_uri(),
            ],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip


def main(folder, *pages):
    Path(folder).mkdir(parents=True, exist_ok=True)
    for page in pages or ("index.html", "user_guide/which.html", "api/index.html"):
        for width, height in SIZES.items():
            picture = Path(folder, f"{page.replace('/', '-').removesuffix('.html')}-{width}.png")
            shoot((BUILT / page).resolve(), width, height, picture.resolve())
            print(picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
