"""Check that links between built pages lead somewhere: files, and places in them.

    python docs/check_links.py [FOLDER]

FOLDER holds HTML (docs/_build/html). Links to other hosts are not followed.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Links(HTMLParser):
    """The links of a page, and the places in it that have a name."""

    def __init__(self, page):
        super().__init__()
        self.links, self.places = [], set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name == "id":
                self.places.add(value)
            elif name in ("href", "src") and value and tag != "link":
                self.links.append(value)


def broken(folder):
    """Return (page, link) for each link that leads nowhere."""
    written = (page for page in folder.rglob("*.html") if "_static" not in page.parts)
    pages = {page.resolve(): Links(page) for page in written}
    found = []
    for page, said in pages.items():
        for link in said.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            place = unquote(parts.fragment)
            lost = target in pages and place and place not in pages[target].places
            if not target.exists() or lost:
                found.append((page.relative_to(folder.resolve()), link))
    return found


def main(folder="docs/_build/html"):
    lost = broken(Path(folder))
    for page, link in lost:
        print(f"{page}: {link}")
    sys.exit(f"{len(lost)} links lead nowhere." if lost else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
