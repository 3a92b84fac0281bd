"""Writes the facts of a case as a page: HTML for people, Markdown for tickets, JSON for machines.

All escaping is the template engine's: HTML and SVG autoescape, Markdown through one filter. The
page runs no script and loads nothing; its Content-Security-Policy allows the one style by its hash.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from functools import cache
from typing import TYPE_CHECKING

from responders.case_report import picture
from responders.case_report.model import CaseFacts, Target
from responders.json_values import Json, JsonObject
from responders.record.journal import Entry

if TYPE_CHECKING:
    from jinja2 import Environment

SCHEMA = 1
_SAID_ELSEWHERE = ("case", "kind", "number", "run", "schema", "step")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~])")
_UNMARKED = re.compile(r"[A-Za-z0-9 ,:/=@%&;'\"$^?-]*")


def as_html(facts: CaseFacts) -> str:
    """One HTML document that needs nothing else."""
    style = _source("page.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    template = _environment().get_template("page.html.j2")
    # The style is our own file, and must not be escaped: its hash would be another.
    return template.render(facts=facts, style=_markup(style), style_hash=digest, picture=_picture)


def as_markdown(facts: CaseFacts) -> str:
    """The same as Markdown, without the journal's entries."""
    text = _environment().get_template("page.md.j2").render(facts=facts)
    return re.sub(r"\n{3,}", "\n\n", text)


def as_json(facts: CaseFacts) -> str:
    """The same as one JSON document; entries of the journal by number, kind, step and hash."""
    document = {
        "schema": SCHEMA,
        "command": "case report",
        "outcome": "faults" if facts.faults else "verified",
        **{f.name: getattr(facts, f.name) for f in dataclasses.fields(facts)},
    }
    return json.dumps(document, indent=2, sort_keys=True, default=_value) + "\n"


def _value(value: Json) -> Json:
    """What JSON has no form for: an entry of the journal, and the other values of a report."""
    if isinstance(value, Entry):
        return _entry(value)
    return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}


def _entry(entry: Entry) -> JsonObject:
    return {
        "number": entry.number,
        "kind": entry.kind,
        "step": entry.step,
        "at": entry.body.get("at"),
        "sha256": entry.sha256,
    }


def _picture(target: Target) -> Json:
    """The drawing of a target's groups, its texts escaped."""
    text = _environment().get_template("groups.svg.j2")
    return _markup(text.render(p=picture, rows=picture.rows(target), height=picture.height(target)))


def _markup(text: str) -> Json:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - only our own style, and what a template has escaped


def printable(text: str) -> str:
    """Text without control characters, which would reach a terminal that shows the page."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _finalize(value: Json) -> Json:
    return printable(value) if type(value) is str else value


def pretty(entry: Entry) -> str:
    """What an entry says beyond its number, kind and step, on one line; the template escapes it."""
    rest = {k: v for k, v in entry.body.items() if k not in _SAID_ELSEWHERE}
    return json.dumps(rest, sort_keys=True, ensure_ascii=True)


def markdown(value: Json) -> str:
    """Text that Markdown shows as it is: no markup, no table cell, no line of its own."""
    text = printable(str(value))
    return text if _UNMARKED.fullmatch(text) else _SPECIAL.sub(r"\\\1", text)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("responders.case_report", "."),
        autoescape=select_autoescape(("html.j2", "svg.j2")),
        undefined=StrictUndefined,
        finalize=_finalize,
        keep_trailing_newline=True,
    )
    environment.filters |= {"md": markdown, "pretty": pretty}
    return environment


@cache
def _source(name: str) -> str:
    from importlib import resources

    return resources.files("responders.case_report").joinpath(name).read_text()
