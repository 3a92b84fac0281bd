"""What a reboot would lose: collected by the host, in the vault, listed."""

from __future__ import annotations

import pytest

from contract import Document, ScriptExit
from lab import hosts
from lab.calls import Calls
from lab.mends.managed_instances import set_agent
from responders.actions.volatile import CollectVolatile
from responders.host import run_command
from responders.record.case import Case
from responders.result import Failed, Skipped, reason_of
from tests.responders.conftest import Scenario
from tests.responders.evidence import (
    ACCOUNT,
    ending,
    objects,
    prepare_documents,
    saved,
    scripted,
)
from tests.responders.life import Life


@pytest.fixture
def life(scenario: Scenario, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> Life:
    monkeypatch.setattr(run_command, "EVERY", 0.01)
    prepare_documents(scenario)
    set_agent(ACCOUNT, scenario.region, scenario.instance)
    calls.clear()
    return Life(CollectVolatile(), scenario, calls, dict, reversible=False)


def test_life(scenario: Scenario, life: Life) -> None:
    def done() -> None:
        key = saved(scenario, f"{scenario.instance}/volatile.json", life.case)["key"]
        assert Case(life.case).referred() == {key: objects(scenario)[key]}

    life.whole(done)


def test_what_is_not_in_the_vault_was_not_collected(scenario: Scenario, life: Life) -> None:
    ended = hosts.report(Document.VOLATILE, ScriptExit.DONE, "kept in the vault", size=5)
    scripted(scenario, Document.VOLATILE, ending(ended))
    result = life.run().result
    assert isinstance(result, Failed)
    assert "the vault holds no bytes" in reason_of(result)


@pytest.mark.parametrize("code", [ScriptExit.UNSUPPORTED, ScriptExit.NO_VAULT])
def test_a_host_that_can_t_is_said(scenario: Scenario, life: Life, code: ScriptExit) -> None:
    scripted(scenario, Document.VOLATILE, ending(hosts.report(Document.VOLATILE, code, "no CLI")))
    result = life.run().result
    assert isinstance(result, Skipped)
    assert result.incomplete
    assert "no CLI" in result.reason
