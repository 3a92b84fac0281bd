"""Memory: captured by the prepared document, listed, and believed only as far as the vault says."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from contract import Document, ScriptExit
from lab import hosts
from lab.calls import Calls
from lab.faults import Faults
from lab.hosts import MEMORY, Ended, Host, Script, capture
from lab.mends.managed_instances import set_agent
from responders.actions.memory import CaptureMemory
from responders.host import run_command
from responders.record.case import Case
from responders.result import AlreadyInPlace, Done, Failed, Planned, Skipped, reason_of
from tests.responders.conftest import Scenario
from tests.responders.evidence import (
    ACCOUNT,
    BUCKET,
    ending,
    objects,
    prepare,
    prepare_documents,
    saved,
    scripted,
    stage_tool,
)
from tests.responders.life import Life


@pytest.fixture
def life(scenario: Scenario, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> Life:
    monkeypatch.setattr(run_command, "EVERY", 0.01)
    monkeypatch.setattr(run_command, "GRACE", 0.3)
    monkeypatch.setattr(run_command, "REACHABLE_EVERY", 0.05)
    prepare_documents(scenario)
    set_agent(ACCOUNT, scenario.region, scenario.instance)
    scenario.extra["digest"] = stage_tool(scenario, "avml-x86_64")
    calls.clear()
    return Life(CaptureMemory(), scenario, calls, dict, reversible=False)


def sent(calls: Calls) -> dict[str, Any]:
    """Parameters of the only command."""
    (call,) = calls.of("ssm", "SendCommand")
    return dict(call.params)


def script(**changed: Any) -> Script:
    """The lab's own capture, with a report or an object that lies."""
    data = changed.pop("data", None)

    def run(host: Host, given: dict[str, str]) -> Ended:
        ended = hosts.memory(host, given)
        if data is not None:
            host.put(given["Bucket"], given["Key"], data)
        return dataclasses.replace(ended, report={**ended.report, **changed})

    return run


def test_life(scenario: Scenario, life: Life) -> None:
    assert isinstance(life.dry().result, Planned)
    assert life.mutating() == []
    report = life.run()
    assert isinstance(report.result, Done), reason_of(report.result)
    document = saved(scenario, f"{scenario.instance}/memory.json")
    assert objects(scenario)[document["key"]] == MEMORY
    assert document["checked"] == {"bytes": MEMORY, "banner": True}
    life.mutating()
    assert isinstance(life.run().result, AlreadyInPlace)
    assert life.mutating() == []
    released = life.release()
    assert released is not None
    assert isinstance(released.result, AlreadyInPlace)


def test_whole_life(scenario: Scenario, life: Life) -> None:
    def done() -> None:
        assert saved(scenario, f"{scenario.instance}/memory.json", life.case)["checked"]

    life.whole(done)


def test_what_is_sent_is_pinned_and_holds_no_secret(
    scenario: Scenario, life: Life, calls: Calls
) -> None:
    life.run()
    given = sent(calls)
    from components.documents import sha256

    assert given["DocumentHash"] == sha256(Document.MEMORY)
    assert given["DocumentHashType"] == "Sha256"
    assert given["InstanceIds"] == [scenario.instance]
    assert set(given["Parameters"]) == {"Bucket", "Region", "Key", "Tools", "TimeoutSeconds"}
    assert given["Parameters"]["Tools"] == [f"avml-x86_64={scenario.extra['digest']}"]
    text = json.dumps(given, default=str)
    assert not any(word in text for word in ("Credential", "Signature", "Token=", "AKIA"))


def test_all_that_came_into_the_vault_is_listed(scenario: Scenario, life: Life) -> None:
    life.run()
    listed = Case("IR-7").referred()
    assert listed == objects(scenario)
    assert {key.rsplit("/", 1)[-1] for key in listed} == {"memory.lime", "memory.lime.began.json"}


def test_the_tools_are_those_for_this_host(scenario: Scenario, life: Life, calls: Calls) -> None:
    for name in ("avml-arm64", "winpmem.exe", "lime-6.1.0-lab.ko", "unknown"):
        stage_tool(scenario, name, name.encode())
    calls.clear()
    life.run()
    names = [p.split("=")[0] for p in sent(calls)["Parameters"]["Tools"][0].split(",")]
    assert names == ["avml-x86_64", "lime-6.1.0-lab.ko"]


LIES = {
    "the vault holds": {"data": capture(MEMORY - 1)},
    "less than the memory's": {"memory": MEMORY * 2},
    "does not begin as a LiME image": {"data": b"\0" * MEMORY},
    "no kernel banner": {"data": b"EMiL" + b"\0" * (MEMORY - 4), "banner": ""},
    "told no memory": {"memory": "much"},
    "told no size": {"size": True},
}


def test_a_capture_that_is_none_is_a_failure(scenario: Scenario, life: Life) -> None:
    for told, lie in LIES.items():
        scripted(scenario, Document.MEMORY, script(**lie))
        report = life.run()
        assert isinstance(report.result, Failed), told
        assert told in reason_of(report.result)
        assert Case(life.case).referred() == objects(scenario, f"cases/{life.case}/")
        life.number += 1


def test_success_without_an_object_is_a_failure(scenario: Scenario, life: Life) -> None:
    report = hosts.report(
        Document.MEMORY,
        ScriptExit.DONE,
        "captured",
        memory=MEMORY,
        size=MEMORY,
        banner="Linux version 6",
    )
    scripted(scenario, Document.MEMORY, ending(report))
    result = life.run().result
    assert isinstance(result, Failed)
    assert "the vault holds no capture" in reason_of(result)


def test_success_without_a_report_is_a_failure(scenario: Scenario, life: Life) -> None:
    for output in ("", "done", "[1]", '{"code": 0}', "[" * 5000, '{"document": NaN}'):
        scripted(scenario, Document.MEMORY, ending(Ended(output=output)))
        result = life.run().result
        assert isinstance(result, Failed)
        assert "without the script's report" in reason_of(result)
        life.number += 1


def test_a_banner_further_on_is_the_host_s_word(
    scenario: Scenario, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("responders.actions.memory.HEADER", 16)
    report = life.run()
    assert isinstance(report.result, Done)
    assert any("host's word" in note for note in report.notes)
    checked = saved(scenario, f"{scenario.instance}/memory.json")["checked"]
    assert checked == {"bytes": MEMORY, "banner": False}


def test_a_host_that_owns_up_to_little_memory_is_a_risk(life: Life) -> None:
    report = life.run()
    assert any("a t3.micro has 1024" in risk for risk in report.risks)


ENDS = {
    ScriptExit.UNSUPPORTED: Skipped,
    ScriptExit.LOCKDOWN: Skipped,
    ScriptExit.NO_VAULT: Skipped,
    ScriptExit.REFUSED: Skipped,
    ScriptExit.TAMPERED: Failed,
    ScriptExit.FAILED: Failed,
}


def test_every_end_of_the_script_is_a_clear_result(scenario: Scenario, life: Life) -> None:
    for code, kind in ENDS.items():
        ended = hosts.report(Document.MEMORY, code, "so it is")
        scripted(scenario, Document.MEMORY, ending(ended))
        result = life.run().result
        assert isinstance(result, kind), code
        assert "so it is" in reason_of(result)
        assert isinstance(result, Failed) or result.incomplete
        life.number += 1


def test_no_agent(scenario: Scenario, life: Life, calls: Calls) -> None:
    set_agent(ACCOUNT, scenario.region, scenario.instance, ping="ConnectionLost")
    result = life.run().result
    assert isinstance(result, Skipped)
    assert result.incomplete
    assert "does not answer (ConnectionLost" in result.reason
    assert calls.of("ssm", "SendCommand") == []


def test_never_an_agent(scenario: Scenario, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.mends.managed_instances.agent_of", lambda ec2, instance: None)
    result = life.run().result
    assert isinstance(result, Skipped)
    assert "no Systems Manager agent is registered" in result.reason


def test_not_delivered(scenario: Scenario, life: Life) -> None:
    scripted(scenario, Document.MEMORY, ending(Ended(status="DeliveryTimedOut")))
    result = life.run().result
    assert isinstance(result, Skipped)
    assert result.incomplete
    assert "never reached the instance" in result.reason


def test_ran_out_of_time(scenario: Scenario, life: Life) -> None:
    scripted(scenario, Document.MEMORY, ending(Ended(status="ExecutionTimedOut")))
    result = life.run().result
    assert isinstance(result, Failed)
    assert "ExecutionTimedOut" in reason_of(result)


def isolate(scenario: Scenario) -> None:
    ec2 = scenario.client("ec2")
    for eni in scenario.enis:
        ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Groups=[scenario.isolate])


def test_an_isolated_instance_is_not_even_asked(
    scenario: Scenario, life: Life, calls: Calls
) -> None:
    isolate(scenario)
    result = life.run().result
    assert isinstance(result, Skipped)
    assert result.incomplete
    assert "--evidence-first" in result.reason
    assert calls.of("ssm", "SendCommand") == []


def test_isolated_while_it_runs_it_is_given_up(scenario: Scenario, life: Life) -> None:
    def cut(host: Host, given: dict[str, str]) -> Ended:
        isolate(scenario)
        return Ended(looks=10_000)

    scripted(scenario, Document.MEMORY, cut)
    result = life.run().result
    assert isinstance(result, Failed)
    assert "isolated meanwhile" in reason_of(result)


def test_the_deadline_is_the_script_s_limit(
    scenario: Scenario, life: Life, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    life.action = dataclasses.replace(life.action, deadline=1.0)
    monkeypatch.setattr("responders.actions.memory.LEAST_SECONDS", 1)
    scripted(scenario, Document.MEMORY, ending(Ended(looks=10_000)))
    monkeypatch.setattr("lab.mends.commands._checked", lambda declared, given: given)
    result = life.run().result
    assert isinstance(result, Failed)
    assert "has not ended" in reason_of(result)
    assert sent(calls)["Parameters"]["TimeoutSeconds"] == ["1"]


def test_one_under_way_is_followed_and_not_begun_again(
    scenario: Scenario, life: Life, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(host: Host, given: dict[str, str]) -> Ended:
        return dataclasses.replace(hosts.memory(host, given), looks=3)

    scripted(scenario, Document.MEMORY, slow)
    with monkeypatch.context() as patch:
        patch.setattr("responders.host.run_command.follow", _interrupted)
        assert isinstance(life.run().result, Skipped)
    report = life.run()
    assert isinstance(report.result, Done), reason_of(report.result)
    assert any("under way already" in note for note in report.notes)
    sent(calls)


def _interrupted(*_: Any, **__: Any) -> None:
    from responders.errors import Skip

    raise Skip("interrupted", incomplete=True)


def test_a_lost_answer_is_followed_by_the_next_run(
    scenario: Scenario, life: Life, faults: Faults, calls: Calls
) -> None:
    scripted(
        scenario,
        Document.MEMORY,
        lambda host, given: dataclasses.replace(hosts.memory(host, given), looks=2),
    )
    faults.lose("ssm", "SendCommand")
    assert isinstance(life.run().result, Failed)
    assert len(calls.of("ssm", "SendCommand")) == 1
    faults.clear()
    assert isinstance(life.run().result, Done)
    assert len(calls.of("ssm", "SendCommand")) == 1


def test_windows_needs_winpmem(scenario: Scenario, life: Life, calls: Calls) -> None:
    set_agent(ACCOUNT, scenario.region, scenario.instance, platform="Windows")
    result = life.run().result
    assert isinstance(result, Skipped)
    assert result.incomplete
    assert "cordon tools stage" in result.reason
    digest = stage_tool(scenario, "winpmem.exe", b"winpmem")
    assert isinstance(life.run().result, Done)
    assert sent(calls)["Parameters"]["Tools"] == [f"winpmem.exe={digest}"]
    assert [k for k in objects(scenario) if k.endswith("memory.raw")]


def test_a_stopped_instance_has_no_memory(scenario: Scenario, life: Life) -> None:
    scenario.client("ec2").stop_instances(InstanceIds=[scenario.instance])
    result = life.run().result
    assert isinstance(result, Skipped)
    assert result.incomplete


def test_without_a_vault_or_documents(scenario: Scenario, life: Life) -> None:
    prepare(scenario, documents={})
    result = life.run().result
    assert isinstance(result, Skipped)
    assert "cordon-memory is not prepared" in result.reason
    prepare(scenario, vault_bucket="")
    result = life.run().result
    assert isinstance(result, Skipped)
    assert "no vault is prepared" in result.reason


def test_a_changed_document_is_refused(scenario: Scenario, life: Life) -> None:
    ssm_client = scenario.client("ssm")
    content = {"schemaVersion": "2.2", "mainSteps": []}
    ssm_client.update_document(
        Name="cordon-memory", Content=json.dumps(content), DocumentVersion="$LATEST"
    )
    ssm_client.update_document_default_version(Name="cordon-memory", DocumentVersion="2")
    result = life.run().result
    assert isinstance(result, Failed)
    assert "hash" in reason_of(result)


CALLS = [
    ("ssm", "SendCommand"),
    ("ssm", "DescribeInstanceInformation"),
    ("ssm", "ListCommandInvocations"),
    ("ssm", "GetCommandInvocation"),
    ("s3", "ListObjectsV2"),
    ("s3", "GetObject"),
    ("ec2", "DescribeSecurityGroups"),
    ("ec2", "DescribeInstanceTypes"),
]


def test_denied_is_a_failure(life: Life, faults: Faults) -> None:
    for call in CALLS:
        faults.deny(*call)
        result = life.run().result
        assert isinstance(result, Failed), call
        assert "Denied" in reason_of(result) or "Unauthorized" in reason_of(result)
        faults.clear()
        life.number += 1


def test_bucket_is_the_vault_s(scenario: Scenario, life: Life, calls: Calls) -> None:
    life.run()
    assert sent(calls)["Parameters"]["Bucket"] == [BUCKET]
