"""Claims in use: what one machine does when the vault says that another one works on its target."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from responders.aws import Access, Aws
from responders.record import others
from responders.record.case import Case
from responders.record.claims import Claims, Work, work_here
from responders.record.journal import Journal
from responders.record.others import Presence
from responders.record.vault import Mirror, Vault
from tests.responders.conftest import REGION, VAULT, Cordon, Scenario
from tests.responders.pinning import ACCOUNT
from tests.responders.workload import hurry

FAST = ("--region", REGION, "--json", "--no-snapshot")
CASE = ("--case", "IR-7")


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def vault() -> Vault:
    return Vault(Aws(Access(region=REGION)), VAULT, REGION, ACCOUNT)


def claims_on(target: str) -> Claims:
    return Claims(vault(), ACCOUNT, target)


def elsewhere(case: str, run: str) -> Work:
    """What a responder on another machine says, or an attacker in his name."""
    return replace(work_here(case, run, "mallory"), holder="mallory on far", home="another")


def test_a_release_that_a_claim_keeps_back_says_who_and_how_to_go_on(
    scenario: Scenario, cordon: Cordon
) -> None:
    """First somebody is said to work on it, then another case to hold it; both are forged."""
    before = scenario.groups()
    assert cordon("instance", scenario.instance, *CASE, *FAST).code == 0
    claims = claims_on(scenario.instance)
    claims.change(lambda state: state.begun(elsewhere("IR-8", "forged")))
    release = ("release", scenario.instance, *CASE, "--json")
    held = cordon(*release)
    assert held.code == 2
    assert "mallory on far in case IR-8, until 20" in held.document["error"]
    assert "--despite-claim 'mallory on far'" in held.document["advice"]
    assert cordon(*release, "--despite-claim", "mallory").code == 2
    still = cordon(*release, "--despite-claim", "mallory on far")
    assert (still.code, still.document["outcome"]) == (3, "still-held"), still.out
    said = " ".join(still.document["residual_risks"])
    assert "mallory on far, 20" in said
    assert "--despite-claim IR-8" in said
    assert scenario.groups() != before
    freed = cordon(*release, "--despite-claim", "IR-8")
    assert freed.document["outcome"] == "released", freed.out
    assert scenario.groups() == before
    recorded = Case("IR-7").run(freed.document["run"]).begin
    assert recorded["despite_claims"] == ["IR-8"]


def test_a_run_whose_owner_works_elsewhere_is_not_resumed(
    scenario: Scenario, cordon: Cordon
) -> None:
    answer = cordon("instance", scenario.instance, *CASE, *FAST)
    run = Case("IR-7").folder / answer.document["run"]
    last = max((run / "journal").iterdir(), key=lambda path: int(path.stem))
    last.unlink()  # as if it still went on
    client = scenario.client("s3")
    key = f"cases/IR-7/{run.name}/journal/{last.name}"
    for version in client.list_object_versions(Bucket=VAULT, Prefix=key)["Versions"]:
        client.delete_object(
            Bucket=VAULT,
            Key=key,
            VersionId=version["VersionId"],
            BypassGovernanceRetention=True,
        )
    theirs = elsewhere("IR-7", run.name)
    claims_on(scenario.instance).change(lambda state: state.begun(theirs))
    refused = cordon("resume", *CASE, "--json")
    assert refused.code == 2, refused.out
    assert "mallory on far in case IR-7" in refused.document["error"]
    assert "begins a run of its own" in refused.document["advice"]
    claims_on(scenario.instance).change(lambda state: state.ended(theirs, released=False))
    resumed = cordon("resume", *CASE, "--json")
    assert [r["run"] for r in resumed.document["runs"]] == [run.name], resumed.out


def test_a_claim_is_renewed_while_its_run_lasts_and_not_after(
    scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(others, "RENEWED_EVERY", timedelta(seconds=0.05))
    claims, mirror = claims_on(scenario.instance), Mirror(vault)
    mine = replace(elsewhere("IR-7", "r1"), until=work_here("IR-7", "r1", "a").until - timedelta(1))
    record = Journal(tmp_path / "journal", case="IR-7", run="r1")
    presence = Presence(Case("IR-7"), ACCOUNT, scenario.instance, mine)
    presence.announce(mirror, record)
    me = elsewhere("IR-9", "r9")
    me = replace(me, home="mine")
    deadline = time.monotonic() + 5
    while not claims.read().others(me) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [work.run for work in claims.read().others(me)] == ["r1"]
    presence.leave(mirror, released=False)
    assert mirror.close(5) == ""
    time.sleep(0.12)
    assert claims.read().working == ()
