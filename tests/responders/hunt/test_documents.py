"""What docs/hunt.md says is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from responders.hunt import chase, evidence, lookup
from responders.hunt.control_rules import ON_BEHALF
from responders.hunt.findings import LISTED
from responders.hunt.given import RULES
from responders.hunt.lead import Confidence
from responders.hunt.minting_rules import credentials
from responders.hunt.open_lead import LeadKind, Severity
from responders.hunt.table import Kind, table
from tests.conftest import AwsLab
from tests.responders.conftest import Cordon

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "hunt.md").read_text()


def test_every_option_is_told(cordon: Cordon) -> None:
    told = cordon("hunt", "--help").out
    own = told.split("How to reach AWS")[0]
    options = set(re.findall(r"--[a-z][a-z-]+", own)) - {"--help", "--region"}
    assert len(options) >= 9
    assert {option for option in options if f"`{option}" not in PAGE} == set()


@pytest.mark.parametrize("line", re.findall(r"^cordon hunt .*$", PAGE, re.MULTILINE))
def test_every_example_is_taken(line: str, cordon: Cordon, aws_lab: AwsLab) -> None:
    """All of it is read and right, up to a region that there is none of."""
    answer = cordon(*shlex.split(line)[1:], "--regions", "no-region")
    assert answer.code == 2
    assert "no-region" in answer.err


def test_every_rule_is_told() -> None:
    """Those that follow a key in the answer are in the table of events, one by one."""
    own = {name for (_, name), rules in RULES.items() if rules != (credentials,)}
    assert {name for name in own if name not in PAGE} == set()
    assert len(ON_BEHALF) == PAGE.split("a change in ")[1].split("|")[0].count(",") + 1


def test_every_subject_and_severity_is_told() -> None:
    for one in (*LeadKind, *Severity, *Confidence):
        assert f"`{one.value}`" in PAGE


def test_every_kind_is_told() -> None:
    for kind in Kind:
        assert kind.value in PAGE.split("## How events are sorted")[1].split("##")[0]


def test_figures() -> None:
    assert round(len(table().meanings), -1) == 540
    assert round(len(table().mintings), -1) == 160
    assert f"{chase.MOST_LEADS:,}" in PAGE
    assert f"{LISTED:,} entries" in PAGE
    assert f"{evidence.CHUNK:,} a file" in PAGE
    assert (lookup.PAGE, lookup.PER_SECOND, lookup.HISTORY.days) == (50, 2.0, 90)
    assert lookup.PATIENCE.total_seconds() == 15 * 60
