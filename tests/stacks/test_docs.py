"""What the documents of preparation say is what the program does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.endpoints import Tier
from lab.plain import PlainMocks
from stacks.costs import monthly
from tests.preparation import EXTERNAL_ID, prepare

DOCS = Path(__file__).parents[2] / "docs"
DEPLOY, COSTS = (DOCS / "deploy.md").read_text(), (DOCS / "costs.md").read_text()


def configs(text: str) -> list[dict[str, Any]]:
    blocks = re.findall(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [yaml.safe_load(block)["config"] for block in blocks]


@pytest.mark.parametrize("config", configs(DEPLOY) + configs(COSTS))
def test_every_configuration_shown_is_accepted(config: dict[str, Any]) -> None:
    account = (config.pop("aws:allowedAccountIds", None) or ["111122223333"])[0]
    mocks = PlainMocks(account=account)
    if account == "777788889999":
        config["externalId"] = EXTERNAL_ID
    program = prepare(config, mocks=mocks)
    assert program.exports["account"] == account
    assert program.exports["manifests"].keys() == {"eu-west-1", "us-east-1"}


def test_there_are_configurations_to_check() -> None:
    assert (len(configs(DEPLOY)), len(configs(COSTS))) == (4, 1)


def test_the_exports_named_are_exported() -> None:
    program = prepare(
        {"stacks": ["account", "forensics"]},
        mocks=PlainMocks(regions=["eu-west-1"]),
    )
    paragraph = DEPLOY.split("`pulumi stack output` names all of it")[1].split("###")[0]
    named = re.findall(r"`(\w+)`", paragraph)
    assert len(named) == 7
    assert set(named) <= program.exports.keys()


def test_the_table_of_tiers_has_the_program_s_prices() -> None:
    for tier in Tier:
        [row] = re.findall(rf"^\| `{tier}` \|.*\| \$([\d.]+) \|$", COSTS, re.MULTILINE)
        assert float(row) == monthly(tier)


def test_the_table_of_regions_adds_up() -> None:
    rows = re.findall(r"^\| (\d+)[^|]*\|(.*)\|$", COSTS, re.MULTILINE)
    assert len(rows) == 3
    cold, warm, hot = (monthly(tier) for tier in Tier)
    for count, cells in ((int(n), c) for n, c in rows):
        shown = [float(c.strip().removeprefix("$")) for c in cells.split("|")]
        expected = [cold * count, warm + cold * (count - 1), warm * count, hot * count]
        assert shown == pytest.approx(expected)
