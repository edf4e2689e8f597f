# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports as text: complete, and nothing from outside is more than text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import typing as t
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.documents import KINDS
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.html import to_html
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.markdown import to_markdown
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.model import Action, Bar, Chart, Column, Document, Figure, Item, Table, words
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.renderers import FORMATS
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.structured import to_json

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></style></script><svg onload=alert(1)>",
    "<!-- ",
    "&lt;b&gt; &amp; &#60;",
    "a|b\\|c",
    "`code` **bold** _it_ ~~gone~~ $x^2$",
    "[click](javascript:alert(1)) ![x](http://example.com/x.png)",
    "<http://example.com> http://example.com www.example.com a@example.com",
    "# heading\n- item\n1. one\n> quote\n| a | b |\n| - | - |",
    "{{ 7 * 7 }} {% raw %}",
    "ends with \\",
)


class Page(HTMLParser):
    """A page as a browser sees it.

    :ivar tags: each element with its attributes.
    :ivar cells: the text in each cell of a table.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[str] = []
        self.raw: dict[str, str] = {}
        self._open = ""
        self._in_cell = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag
        if tag == "td":
            self._in_cell = True
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self._open in ("script", "style"):
            self.raw[self._open] = self.raw.get(self._open, "") + data
        elif self._in_cell:
            self.cells[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._open = ""
        self._in_cell = self._in_cell and tag != "td"

    def attributes(self) -> set[str]:
        return {name for _tag, attributes in self.tags for name in attributes}


def document(text: str, more: str = "something else") -> Document:
    """A report that has the text wherever text may be."""
    columns = (Column("status", "Status", "status", filter=True, words=words(("bad", text, "bad"))), Column("text", text, filter=True), Column("more", "More"))
    return Document(
        kind="certificates",
        title="Title",
        generated_at=NOW,
        headline=text,
        figures=(Figure("all", text, 1234),),
        actions=(Action(text, text, "bad", (Item(text, text), Item("other", text))),),
        charts=(Chart("chart", text, text, (Bar(text, 3, "warn"), Bar("none", 0))),),
        tables=(
            Table("rows", text, columns, (("bad", text, more), (text, more, text))),
            Table("map", "Map", columns, (("bad", text, None),), compact=True),
            Table("empty", "Empty", columns, ()),
        ),
        changes=(Item(text, text),),
        notes=(text,),
    )


def allowed() -> Page:
    return Page(to_html(document("plain")))


ALLOWED = allowed()


@settings(max_examples=50, deadline=None)
@given(text=st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1) | st.sampled_from(HOSTILE))
def test_html_has_no_element_and_no_attribute_from_outside(text: str) -> None:
    page = Page(to_html(document(text)))
    assert [tag for tag, _attributes in page.tags] == [tag for tag, _attributes in ALLOWED.tags]
    assert page.attributes() == ALLOWED.attributes()
    assert page.raw == ALLOWED.raw
    assert page.cells.count(text) >= 2, "what is shown is the text itself"


def test_html_allows_its_own_style_and_script_and_nothing_else() -> None:
    page = Page(to_html(document("plain")))
    policy = next(attributes["content"] or "" for tag, attributes in page.tags if tag == "meta" and "http-equiv" in attributes)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.raw[kind].encode()).digest()).decode()
        assert rules[f"{kind}-src"] == f"'sha256-{digest}'"
    assert not page.attributes() & {"src", "href", "style", "action", "onclick", "onload"}
    assert "http" not in page.raw["style"] + page.raw["script"], "nothing is loaded from anywhere"


def test_html_shortens_what_is_endless() -> None:
    many = tuple(Item(f"i-{number}", "the same") for number in range(150))
    different = tuple(Item("i-1", f"reason {number}") for number in range(150))
    base = document("plain")
    html = to_html(
        Document(**{**base.__dict__, "actions": (Action("a", "b", "bad", many), Action("c", "d", "warn", different)), "changes": different, "charts": ()})
    )
    assert html.count("and 50 more, see the table") == 3
    assert html.count("<code>i-") == 100 + 100 + 100
    rows = tuple(("bad", f"row {number}", None) for number in range(201))
    html = to_html(Document(**{**base.__dict__, "tables": (Table("rows", "Rows", base.tables[0].columns, rows),)}))
    assert html.count('<tr class="later">') == 1


@settings(max_examples=100, deadline=None)
@given(text=st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1).filter(str.strip) | st.sampled_from(HOSTILE))
@example("1. one")
@example("+ item")
@example("===")
def test_markdown_means_the_text_and_nothing_else(text: str) -> None:
    line = " ".join(text.split())
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(to_markdown(document(text)))
    inline = [token for token in tokens if token.type == "inline"]
    kinds = {child.type for token in inline for child in token.children or []}
    assert kinds <= {"text", "text_special", "strong_open", "strong_close", "softbreak"}
    assert not {"html_block", "code_block", "fence", "blockquote_open", "hr"} & {token.type for token in tokens}
    seen = ["".join(child.content for child in token.children or []) for token in inline]
    headings = [seen[inline.index(tokens[index + 1])] for index, token in enumerate(tokens) if token.type == "heading_open"]
    assert headings == ["Title", line, line, "What changed", line, "Map", "Empty"]
    assert line in seen[seen.index("Map") - 6 :], "cells of the table"
    assert not re.search("://|www\\.|@", "".join(token.content for token in inline)), "nothing that a program makes a link of"


@given(text=st.text(alphabet=st.characters(codec="utf-8"), max_size=20) | st.sampled_from(HOSTILE))
def test_json_is_what_was_said(text: str) -> None:
    report = json.loads(to_json(document(text)))
    assert list(report)[:3] == ["schema_version", "generated_at", "kind"]
    assert (report["schema_version"], report["generated_at"]) == (1, "2026-03-01T12:00:00Z")
    assert report["tables"][0]["rows"][1] == {"status": text, "text": "something else", "more": text}
    assert report["actions"][0]["items"][0] == {"subject": text, "detail": text}
    assert report["charts"][0]["bars"][0] == {"label": text, "count": 3, "level": "warn"}


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("form", sorted(FORMATS))
def test_only_known_fields_get_into_a_report(kind: str, form: str) -> None:
    secret = "tmc12-SECRET"
    inner: dict[str, t.Any] = {"region": "us-east-1", "name": "system", "token": secret, "api_key": secret}
    entry = {
        **dict.fromkeys(["token", "api_key", "saved_settings", "commands", "stdout", "invocation"], secret),
        "instance_id": "i-1",
        "account_id": "111111111111",
        "result": "renewed",
        "status": "valid",
        **{name: [inner] for name in ("streams", "before", "looks", "changes", "trails", "appliance")},
    }
    rendered = FORMATS[form][0](KINDS[kind]([entry], NOW))
    assert secret not in rendered
    assert "i-1" in rendered or "111111111111" in rendered


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_no_entries(form: str) -> None:
    for kind, document_of in KINDS.items():
        assert "There are no" in FORMATS[form][0](document_of([], NOW)), kind
