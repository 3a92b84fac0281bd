"""What a run chose is read back by every later version: what 0.1.0 contained can be released."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pytest

from contract import load_units
from responders import playbooks
from responders.errors import BadInput
from responders.playbook import Options, Playbook, by_command
from responders.playbooks.instance import InstanceOptions
from responders.record.case import Case
from responders.record.journal import Journal
from tests.responders.conftest import REGION, Cordon, Scenario

OF_0_1_0: dict[str, Any] = {
    "all_keys": False,
    "category": "",
    "copy": True,
    "deadline": 300.0,
    "delete": False,
    "delete_login": False,
    "deny_all": False,
    "detach": False,
    "dwell": 0.0,
    "evidence_first": False,
    "force_own_key": False,
    "from_account": "",
    "hashing": "host",
    "hibernate": False,
    "host_firewall": False,
    "image": "",
    "isolated_profile": "dark",
    "keep_imds": False,
    "lock_days": 365,
    "lock_mode": "governance",
    "machine": "m6i.large",
    "memory": False,
    "nacl": ["203.0.113.7/32"],
    "renew": False,
    "replace": True,
    "role_wide": False,
    "service": "",
    "session": "",
    "severity": "",
    "snapshot": False,
    "snapshots": [],
    "stop": False,
    "stop_protected": False,
    "text": "",
    "tracking": "convert",
    "volume_iops": 0,
    "volume_size": 0,
    "volume_type": "gp3",
    "wait": False,
    "zone": "",
}
"""As the `begin` entries of 0.1.0 held them, for every command."""
PLAYBOOKS = load_units(playbooks, "PLAYBOOK", Playbook)


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_each_playbook_reads_what_it_wrote(name: str) -> None:
    playbook = PLAYBOOKS[name]
    options = playbook.options()
    written = {"options": asdict(options), "options_schema": playbook.schema}
    assert playbook.from_journal(json.loads(json.dumps(written))) == options


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_each_playbook_finds_its_own_among_those_of_0_1_0(name: str) -> None:
    read = PLAYBOOKS[name].from_journal({"options": OF_0_1_0})
    assert isinstance(read, PLAYBOOKS[name].options)


def test_the_choice_of_0_1_0_is_kept() -> None:
    read = by_command("instance").from_journal({"options": OF_0_1_0})
    chosen = InstanceOptions("convert", 0.0, snapshot=False, nacl=("203.0.113.7/32",), detach=False)
    assert read == chosen


@pytest.mark.parametrize(
    "begin",
    [
        {"options": {}, "options_schema": 99},
        {"options": {"from_tomorrow": 1}, "options_schema": 2},
        {"options": {"from_tomorrow": 1}},
    ],
)
def test_what_a_newer_version_wrote_is_refused(begin: Mapping[str, Any]) -> None:
    with pytest.raises(BadInput, match="newer version"):
        by_command("instance").from_journal(begin)


def test_a_command_without_a_playbook_is_refused() -> None:
    with pytest.raises(BadInput, match="no playbook"):
        by_command("moon base")


@dataclass(frozen=True)
class Renamed(Options):
    waiting: float = 60.0


class RenamingPlaybook(Playbook[Any, Renamed]):
    options = Renamed
    schema = 3

    def upgraded(self, schema: int, journaled: Mapping[str, Any]) -> Mapping[str, Any]:
        if schema < 3:
            return {"waiting": journaled["dwell"]}
        return journaled


def test_a_renamed_option_is_read_under_its_old_name() -> None:
    playbook = RenamingPlaybook()
    assert playbook.from_journal({"options": OF_0_1_0}) == Renamed(0.0)
    begin = {"options": {"dwell": 5.0}, "options_schema": 2}
    assert playbook.from_journal(begin) == Renamed(5.0)
    assert playbook.from_journal({"options": {}, "options_schema": 3}) == Renamed()


def test_this_version_releases_what_0_1_0_contained(
    scenario: Scenario, cordon: Cordon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its journal had no schema of options, and held all options of all commands."""
    append = Journal.append

    def as_0_1_0(self: Journal, kind: str, step: str = "", **body: Any) -> Any:
        if kind == "begin":
            body.pop("options_schema")
            body["options"] = OF_0_1_0
        return append(self, kind, step, **body)

    before = scenario.groups()
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", as_0_1_0)
        contained = cordon(
            *("instance", scenario.instance, "--case", "IR-7", "--region", REGION),
            *("--dwell", "0", "--no-snapshot", "--nacl", "203.0.113.7"),
        )
    assert contained.code == 0, contained.out
    assert scenario.groups() != before
    [run] = Case("IR-7").runs()
    assert "options_schema" not in run.begin
    released = cordon("release", scenario.instance, "--case", "IR-7", "--json")
    assert (released.code, released.document["outcome"]) == (0, "released"), released.out
    assert "deny-subnet" in {step["name"] for step in released.document["steps"]}
    assert scenario.groups() == before
