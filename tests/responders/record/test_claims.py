"""Who works on a target is told across machines and cases, and whoever writes it bounds nobody."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from responders.aws import Access, Aws
from responders.record.claims import CLAIMED_FOR, Claims, State, Work, parse, work_here
from responders.record.vault import Vault
from tests.responders.conftest import REGION, VAULT, Scenario
from tests.responders.pinning import ACCOUNT

TARGET = "team/alice@example"


@pytest.fixture
def claims(scenario: Scenario) -> Claims:
    return Claims(Vault(Aws(Access(region=REGION)), VAULT, REGION, ACCOUNT), ACCOUNT, TARGET)


def work(case: str, home: str) -> Work:
    return replace(work_here(case, f"run-{case}", "alice"), home=home)


def test_all_who_claim_at_the_same_time_are_listed(scenario: Scenario, claims: Claims) -> None:
    works = [work(f"IR-{n}", f"home-{n}") for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda mine: claims.change(lambda state: state.begun(mine)), works))
    state = claims.read()
    assert {w.case for w in state.working} == {w.case for w in works}
    assert set(state.holding) == {w.case for w in works}
    listed = scenario.client("s3").list_object_versions(Bucket=VAULT, Prefix="claims/")["Versions"]
    names = sorted(version["Key"].rpartition("/")[2] for version in listed)
    assert names == [f"{n:08}.json" for n in (1, 2, 3, 4)]


def test_a_case_holds_until_it_releases(claims: Claims) -> None:
    mine, theirs = work("IR-7", "here"), work("IR-8", "there")
    for one in (mine, theirs):
        claims.change(lambda state, one=one: state.begun(one))  # type: ignore[misc]
        claims.change(lambda state, one=one: state.ended(one, released=False))  # type: ignore[misc]
    assert claims.read() == State((), ("IR-7", "IR-8"))
    claims.change(lambda state: state.ended(mine, released=True))
    assert claims.read().holding == ("IR-8",)


def test_a_claim_ends_by_itself_and_what_this_home_left_is_over() -> None:
    mine = work("IR-7", "here")
    late = replace(work("IR-8", "there"), until=datetime.now(UTC) - timedelta(seconds=1))
    mine_before = work("IR-9", "here")
    assert State((late, mine_before)).others(mine) == ()
    assert State((work("IR-8", "there"),)).others(mine) != ()


def test_a_claim_for_ever_is_cut_short() -> None:
    forged = State((replace(work("IR-8", "x"), until=datetime.now(UTC) + 99 * CLAIMED_FOR),))
    (read,) = parse(json.dumps(forged.as_json()).encode()).working
    assert read.until <= datetime.now(UTC) + CLAIMED_FOR


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b'{"working":[]}', b'{"working":[7],"holding":[]}', b"[" * 30_000]
)
def test_what_is_no_claim_is_an_error(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"claim|bytes|nested|Expecting"):
        parse(raw)
