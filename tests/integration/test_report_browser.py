# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTML of the reports in a real browser: accessible, at home on a phone and on paper, quick with thousands of rows, and deaf to hostile names."""

from __future__ import annotations

import re
import shutil
import socket
import typing as t
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.documents import KINDS
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.html import to_html

Json = dict[str, t.Any]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
# No service of the browser's own may ask for anything.
OFFLINE = ("--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync")
STATUSES = {"Expired": -20, "Expires soon": 10, "Valid": 300}
HOSTILE = (
    "<script>hacked = true</script>",
    "<img src='http://127.0.0.1:9/x.png' onerror='hacked = true'>",
    "\"'><svg onload='hacked = true'>",
    "</title></style></table><iframe src='javascript:parent.hacked = true'></iframe>",
    "javascript:hacked = true",
)


def certificates(number: int) -> list[Json]:
    """Appliances in turn expired, about to expire and valid; every tenth date is an estimate."""

    def entry(index: int) -> Json:
        days = list(STATUSES.values())[index % 3] + index // 3 % 9
        return {
            "instance_id": f"i-{index:017x}",
            "failed": False,
            "appliance": {"host_name": f"nsva-{index}"},
            "status": ("expired", "expiring", "valid")[index % 3],
            "days_left": days,
            "expires_at": f"{NOW + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}",
            "evidence": "root_volume" if index % 10 == 0 else "registration_tag",
            "account_id": ("111111111111", "222222222222")[index % 2],
            "region": ("us-east-1", "eu-central-1", "ap-southeast-2")[index // 3 % 3],
            "reason": "expires on that day, 2 years after the appliance registered on another day",
        }

    return [entry(index) for index in range(number)]


REGIONS = [f"{area}-{side}-{number}" for area in ("us", "eu", "ap") for side in ("east", "west", "south") for number in (1, 2)]
ENTRIES: dict[str, list[Json]] = {
    "certificates": [*certificates(8), {"instance_id": "i-1", "failed": True, "msg": "AWS refused ec2:DescribeInstances: allow it."}],
    "renewal": [
        {
            "instance_id": "i-1",
            "name": "nsva-1",
            "result": "renewed",
            "region": "us-east-1",
            "expires_before": "2026-03-05T12:00:00Z",
            "expires_at": "2028-03-01T12:00:00Z",
            "credential": "token",
            "seconds": 4.2,
        },
        {"instance_id": "i-2", "result": "failed", "msg": "The appliance 10.0.0.5:22 cannot be reached. " * 4},
        {"instance_id": "i-3", "result": "not_due", "reason": "expires on 2027-03-01"},
    ],
    "log_streaming": [
        {"instance_id": "i-1", "result": "configured", "streams": [{"name": "system", "group": "g", "receiving": False}], "before": [{"name": "system"}]},
        {"instance_id": "i-2", "result": "failed", "msg": "Its role does not allow logs:PutLogEvents."},
    ],
    "rtm": [
        {
            "account_id": f"{number}" * 12,
            "name": "production",
            "wanted": "present",
            "changes": [{"region": "us-east-1", "action": "create", "changed": True, "status": "present", "reason": "There is no stack."}],
            "looks": [
                {"region": region, "status": ("present", "failed", "drifted", "skipped")[index * number % 4], "failed": index * number % 4 == 1, "msg": "No."}
                for index, region in enumerate(REGIONS)
            ],
            "failures": ["us-east-2: AWS refused cloudformation:CreateStack."],
        }
        for number in (1, 2, 3)
    ],
}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Browser]:
    program = shutil.which("chromium")
    assert program, "chromium is not installed"
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", *OFFLINE]
        started = playwright.chromium.launch(executable_path=program, args=arguments, env={"HOME": str(tmp_path_factory.mktemp("home"))})
        yield started
        started.close()


class Reader:
    """A person with a browser, who notices what the report asks of others and what its script complains about.

    :ivar requests: what was asked for, without the reports themselves.
    :ivar complaints: messages on the console, errors, dialogs.
    """

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser = browser
        self._folder = folder
        self.requests: list[str] = []
        self.complaints: list[str] = []

    def open(self, kind: str, entries: list[Json], **context: t.Any) -> Page:
        """Open a report in a window of its own."""
        file = self._folder / f"{kind}.html"
        file.write_text(to_html(KINDS[kind](entries, NOW)), encoding="utf-8")
        page = self._browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **context}).new_page()
        page.on("request", lambda request: None if request.url == file.as_uri() else self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (self.complaints.append(dialog.message), dialog.dismiss()))
        page.goto(file.as_uri())
        return page

    def close(self) -> None:
        for context in self._browser.contexts:
            context.close()


@pytest.fixture
def reader(browser: Browser, tmp_path: Path) -> t.Iterator[Reader]:
    """A reader whom the report gives no reason to complain."""
    one = Reader(browser, tmp_path)
    yield one
    one.close()
    assert (one.requests, one.complaints) == ([], [])


def shown(page: Page, column: str) -> list[str]:
    """What a column of the table of all things says, in the rows that can be seen."""
    return t.cast(
        list[str],
        page.evaluate(
            """column => {
                const table = document.querySelector("table[id=appliances-table], table[id=regions-table]");
                const index = [...table.tHead.rows[0].cells].findIndex(cell => cell.textContent.trim() === column);
                return [...table.tBodies[0].rows].filter(row => row.checkVisibility()).map(row => row.cells[index].textContent.trim());
            }""",
            column,
        ),
    )


@pytest.mark.parametrize("kind", sorted(ENTRIES))
def test_everybody_can_read_it(reader: Reader, kind: str) -> None:
    """In light and dark, wide and on a phone: no violation that axe finds, and nothing to scroll sideways but tables."""
    for scheme, width in (("light", 1280), ("dark", 320)):
        page = reader.open(kind, ENTRIES[kind], color_scheme=scheme, viewport={"width": width, "height": 640})
        for details in page.locator("details").all():
            details.evaluate("details => { details.open = true }")
        violations = Axe().run(page)["violations"]
        assert [(violation["id"], violation["nodes"][0]["html"]) for violation in violations] == [], scheme
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.locator("h1").inner_text() == KINDS[kind](ENTRIES[kind], NOW).headline


def test_sorting(reader: Reader) -> None:
    page = reader.open("certificates", [*certificates(30), {"instance_id": "i-x", "status": "unknown"}])
    assert shown(page, "Status")[0] == "✕ Expired", "the most urgent first"
    days = page.get_by_role("columnheader", name="Days left")
    page.get_by_role("button", name="Days left").click()
    ascending = shown(page, "Days left")
    assert ascending == [*sorted(ascending[:-1], key=int), ""], "by number, and what is not known last"
    assert days.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Enter")
    assert shown(page, "Days left") == [*reversed(ascending[:-1]), ""]
    assert days.get_attribute("aria-sort") == "descending"
    page.get_by_role("button", name="Name").focus()
    page.keyboard.press("Space")
    assert shown(page, "Name")[:3] == ["nsva-0", "nsva-1", "nsva-2"]
    assert shown(page, "Name")[-2:] == ["nsva-29", ""]
    assert days.get_attribute("aria-sort") is None
    page.get_by_role("button", name="Status").click()
    assert list(dict.fromkeys(shown(page, "Status"))) == ["✕ Expired", "! Expires soon", "! Not known", "✓ Valid"], "by urgency, not by letters"


def test_filtering(reader: Reader) -> None:
    page = reader.open("certificates", certificates(30))
    expect(page.locator("output")).to_have_text("30 of 30")
    page.get_by_label("Status").select_option("Valid")
    page.get_by_label("Account").select_option("222222222222")
    expect(page.locator("output")).to_have_text("5 of 30")
    assert set(shown(page, "Status")) == {"✓ Valid"}
    assert set(shown(page, "Account")) == {"222222222222"}
    page.get_by_role("button", name="Region").click()
    assert len(shown(page, "Region")) == 5, "sorting keeps the filter"
    for label in ("Status", "Account"):
        page.get_by_label(label).select_option("All")
    page.get_by_label("Search").fill("  NSVA-2 eu-central ")
    expect(page.locator("output")).to_have_text("3 of 30")
    assert shown(page, "Name") == ["nsva-21", "nsva-22", "nsva-23"]
    page.get_by_label("Search").press("Enter")
    assert shown(page, "Name") == ["nsva-21", "nsva-22", "nsva-23"], "nothing is submitted"


def test_thousands_of_appliances(reader: Reader, tmp_path: Path) -> None:
    page = reader.open("certificates", certificates(5000))
    assert (tmp_path / "certificates.html").stat().st_size < 5_000_000
    assert len(shown(page, "Status")) == 200
    page.get_by_role("button", name="Days left").click()
    page.keyboard.press("Enter")
    assert shown(page, "Days left")[0] == "308", "all rows take part"
    page.get_by_label("Search").fill("nsva-4999")
    expect(page.locator("output")).to_have_text("1 of 5,000")
    assert shown(page, "Name") == ["nsva-4999"]
    page.get_by_label("Search").fill("")
    more = page.get_by_role("button", name="Show all 5,000 rows")
    more.click()
    assert len(shown(page, "Name")) == 5000
    assert not more.is_visible()


def test_on_paper(reader: Reader) -> None:
    """All rows, and no filters; the head of the table is on each page."""
    page = reader.open("certificates", certificates(250))
    page.get_by_label("Search").fill("")
    page.emulate_media(media="print")
    assert len(shown(page, "Status")) == 250
    for hidden in ("form", "button.more", "summary"):
        assert not page.locator(hidden).first.is_visible(), hidden
    assert page.locator(".action li").first.is_visible(), "what is folded on the screen is open"
    assert page.locator("#appliances-table thead").evaluate("head => getComputedStyle(head).display") == "table-header-group"
    paper = page.pdf(prefer_css_page_size=True)
    pages = [int(number) for number in re.findall(rb"/Type\s*/Pages\s.*?/Count (\d+)", paper, re.DOTALL)]
    assert 5 < max(pages) < 30
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_without_a_script(reader: Reader) -> None:
    page = reader.open("certificates", certificates(250), java_script_enabled=False)
    assert page.locator("#appliances-table tbody tr").first.is_visible()
    assert page.locator("#appliances-table tbody tr").last.is_visible(), "none is kept for a button that is not there"
    assert not page.locator("form").is_visible()


@pytest.mark.parametrize("kind", sorted(ENTRIES))
def test_hostile_names_are_only_text(reader: Reader, kind: str) -> None:
    def poisoned(value: t.Any, text: str) -> t.Any:
        if isinstance(value, dict):
            kept = ("status", "result", "action", "expires_at", "wanted")
            return {name: each if name in kept else poisoned(each, text) for name, each in value.items()}
        if isinstance(value, list):
            return [poisoned(each, text) for each in value]
        return text if isinstance(value, str) else value

    page = reader.open(kind, [poisoned(entry, text) for text in HOSTILE for entry in ENTRIES[kind]])
    for select in page.locator("select").all():
        select.select_option(index=1)
    page.get_by_label("Search").fill(HOSTILE[0])
    page.locator("th button").first.click()
    expect(page.locator("table.sortable").last).to_contain_text(HOSTILE[0])
    assert page.evaluate("window.hacked") is None
    assert page.locator("img, iframe, a, svg:not(.chart)").count() == 0
    assert page.locator("script").count() == 1


def test_the_policy_holds_whatever_gets_in(browser: Browser, tmp_path: Path) -> None:
    """If text became markup after all, the browser would still refuse to run it or to ask anybody for anything."""
    page = Reader(browser, tmp_path).open("certificates", ENTRIES["certificates"])
    # For a frame Chromium opens a connection before it looks at the policy, and then sends nothing; so the frame gets an address of its own.
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        refused = page.evaluate(
            """async (elsewhere) => {
                const refused = [];
                document.addEventListener("securitypolicyviolation", event => refused.push(event.effectiveDirective));
                document.body.insertAdjacentHTML("beforeend", `
                    <img src="${elsewhere}/x.png"><iframe src="http://127.0.0.1:9/"></iframe><style>body { display: none }</style>
                    <p id="trap" style="color: red" onclick="hacked = true">click</p>`);
                const script = document.createElement("script");
                script.textContent = "hacked = true";
                document.body.append(script);
                document.getElementById("trap").click();
                await fetch(elsewhere).catch(() => 0);
                await new Promise(resolve => setTimeout(resolve, 100));
                return refused;
            }""",
            f"http://127.0.0.1:{elsewhere.getsockname()[1]}",
        )
        elsewhere.setblocking(False)
        with pytest.raises(BlockingIOError):
            elsewhere.accept()
    assert {"img-src", "frame-src", "style-src-attr", "style-src-elem", "script-src-elem", "script-src-attr", "connect-src"} <= set(refused)
    assert page.evaluate("window.hacked") is None
    page.context.close()
