"""The report in a real browser: inert, readable at every width, and whole on paper.

Skipped where no Chromium is at hand: set CHROMIUM to its path, or put it on the PATH.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from responders.case_report import render
from responders.case_report.model import (
    CaseFacts,
    Evidence,
    Interface,
    Moment,
    RunFacts,
    Snapshot,
    Target,
)
from responders.record.journal import Entry, canonical

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium: set CHROMIUM to its path")
HOSTILE = "<img src=x onerror=alert(1)>'\"><script>alert(2)</script>\x1b[2J{{7*7}}"
LONG = "arn:aws:iam::123456789012:role/" + "a" * 120


def facts() -> CaseFacts:
    """A case in which everything that an attacker writes is hostile, and some of it long."""
    body = {"at": "2026-03-01T12:00:00.000Z", "note": HOSTILE, "previous": "0" * 64}
    entry = Entry(1, "begin", "", body, canonical(body))
    return CaseFacts(
        case="IR-7",
        written="2026-03-01T13:00:00.000Z",
        summary=f"Instance i-0123456789abcdef0 ({HOSTILE}) was contained.",
        state="contained",
        targets=[
            Target(
                "instance",
                "i-0123456789abcdef0",
                "123456789012",
                "ap-southeast-1",
                "contained",
                "2026-03-01T12:00:00.000Z",
                2.5,
                "",
                facts=[("Name", HOSTILE), ("Instance profile", LONG)],
                interfaces=[Interface("eni-0123456789abcdef0", ("10.0.0.4",), (HOSTILE,), ("sg",))],
                snapshots=[Snapshot("snap-0123456789abcdef0", "vol-0123456789abcdef0")],
            )
        ],
        timeline=[Moment("2026-03-01T12:00:00.000Z", "hunt", HOSTILE, LONG)],
        still_open=[
            {
                "severity": "critical",
                "kind": "machine",
                "id": "i-0123456789abcdef0",
                "name": HOSTILE,
                "region": "ap-southeast-1",
                "state": "running",
                "command": "cordon instance i-0123456789abcdef0 --region ap-southeast-1",
            }
        ],
        evidence=[Evidence(LONG, "2026-03-01T12:00:00.000Z", 9, "0" * 64, "verified")],
        risks=[HOSTILE],
        runs=[
            RunFacts(
                "20260301T120000000Z-abcdef",
                "instance",
                "i-0123456789abcdef0",
                "2026-03-01T12:00:00.000Z",
                "contained",
                LONG,
                "alice",
                "host",
                "0.1.0",
                [],
                [("isolate-network", "done", HOSTILE)],
                [entry],
            )
        ],
    )


def chromium(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu"]
    # The browser itself looks for updates: no name resolves, so that nothing leaves the machine.
    command += ["--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND"]
    command += [f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render.as_html(facts()))
    return path


def test_the_page_runs_nothing_and_asks_for_nothing(page: Path) -> None:
    log = page.parent / "net.json"
    answer = chromium("--dump-dom", f"--log-net-log={log}", page.as_uri(), folder=page.parent)
    assert "CONSOLE" not in answer.stderr
    assert not re.search(r"<(script|img)\b", answer.stdout)
    assert "{{7*7}}" in answer.stdout
    assert "\x1b" not in page.read_text()
    requested = {
        event["params"]["url"]
        for event in json.loads(log.read_text())["events"]
        if isinstance(event.get("params"), dict) and "url" in event["params"]
    }
    assert not {url for url in requested if url.endswith("/x")}


MEASURE = """
<script>
const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
const clipped = [...document.querySelectorAll('p, h1, h2, h3, li, dd, dt')].filter(
  e => e.scrollWidth > e.clientWidth + 1).map(e => e.tagName + ':' + e.textContent.slice(0, 30));
const text = [...document.querySelectorAll('svg text')].filter(e => {
  const box = e.getBBox(); return box.x + box.width > 720 }).length;
document.title = JSON.stringify({wide, clipped, text});
</script>"""


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_nothing_overflows_at_any_width(page: Path, width: int) -> None:
    """A copy with a script in it, and without the policy that forbids that, measures the layout."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
    (page.parent / "inner.html").write_text(text.replace("</body>", f"{MEASURE}</body>"))
    outer = page.parent / "outer.html"  # a window of the browser itself is at least 500 wide
    outer.write_text(
        f'<iframe src="inner.html" style="width:{width}px;height:900px;border:0" '
        'onload="document.title = this.contentDocument.title"></iframe>'
    )
    answer = chromium(
        "--dump-dom",
        "--allow-file-access-from-files",
        "--window-size=1500,1000",
        "--virtual-time-budget=2000",
        outer.as_uri(),
        folder=page.parent,
    )
    title = re.search(r"<title>(.*?)</title>", answer.stdout)
    assert title, answer.stdout[:300]
    assert json.loads(title[1]) == {"wide": 0, "clipped": [], "text": 0}


def test_the_print_has_the_journal(page: Path) -> None:
    if not shutil.which("pdftotext"):
        pytest.skip("no pdftotext")
    paper = page.parent / "report.pdf"
    chromium(f"--print-to-pdf={paper}", "--no-pdf-header-footer", page.as_uri(), folder=page.parent)
    text = subprocess.run(
        ["pdftotext", str(paper), "-"], capture_output=True, text=True, check=True
    ).stdout
    entry = facts().runs[0].entries[0]
    assert hashlib.sha256(entry.raw).hexdigest() in re.sub(r"\s", "", text)
    assert "previous" in text
