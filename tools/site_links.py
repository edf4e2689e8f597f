#!/usr/bin/env python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Usage: tools/site_links.py DIR: name each link within the pages of DIR that leads nowhere, its anchor included.

LinkChecker does the same, but parses a page anew for each link to an anchor in it, which takes a quarter of an hour here.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """What a page links to, and what can be linked to in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = {""}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.links.update(value for value in (values.get("href"), values.get("src")) if value)
        self.anchors.update(value for value in (values.get("id"), values.get("name")) if value)


def main(folder: Path) -> int:
    pages = {path.resolve(): Page(path) for path in sorted(folder.rglob("*.html"))}
    broken = [
        f"{path.relative_to(folder.resolve())}: {link}" for path, page in pages.items() for link in sorted(page.links) if not leads_somewhere(path, link, pages)
    ]
    print("\n".join(broken) or f"{sum(len(page.links) for page in pages.values())} links on {len(pages)} pages, none of them broken within the site")
    return 1 if broken else 0


def leads_somewhere(path: Path, link: str, pages: dict[Path, Page]) -> bool:
    """Links to elsewhere are not looked at."""
    url = urlsplit(link)
    if url.scheme or url.netloc:
        return True
    aim = (path.parent / unquote(url.path)).resolve() if url.path else path
    return unquote(url.fragment) in pages[aim].anchors if aim in pages else aim.exists()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
