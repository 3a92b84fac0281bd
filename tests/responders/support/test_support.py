"""`cordon support`: what AWS Support says afterwards, and which calls were made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.calls import Calls
from lab.faults import Faults
from responders.support.text import LIMIT
from tests.conftest import AwsLab
from tests.responders.conftest import REGION, VAULT, Cordon
from tests.responders.people import People, populate

CASE = ("--case", "IR-7", "--region", REGION)
OPEN = ("support", "open", *CASE, "--json")
SHOW = ("support", "show", *CASE, "--json")
SUBJECT = "[IR-7] Security incident in account 123456789012: request for assistance"


@pytest.fixture
def people(aws_lab: AwsLab, cordon: Cordon) -> People:
    """Alice's key is contained in case IR-7."""
    people = populate(aws_lab)
    assert cordon("key", people.key, *CASE, "--no-hunt").code == 0
    return people


def cases(people: People) -> list[dict[str, Any]]:
    """The account's support cases, as AWS says now."""
    client = people.lab.client("support", "us-east-1")
    return list(client.describe_cases(includeResolvedCases=True)["cases"])


def text_of(case: dict[str, Any]) -> str:
    return str(case["recentCommunications"]["communications"][0]["body"])


def test_opens_one_case_and_never_a_second(people: People, cordon: Cordon, calls: Calls) -> None:
    answer = cordon(*OPEN)
    assert (answer.code, answer.document["outcome"]) == (0, "opened"), answer.out + answer.err
    [made] = cases(people)
    assert made["subject"] == SUBJECT
    assert (made["serviceCode"], made["categoryCode"]) == (
        "customer-account",
        "other-account-issues",
    )
    assert made["severityCode"] == "urgent"
    [call] = calls.of("support", "CreateCase")
    assert call.params["issueType"] == "customer-service"
    assert "attachmentSetId" not in call.params
    told = text_of(made)
    assert f"key {people.key}: contained" in told
    assert "Our reference: IR-7" in told
    assert "123456789012" in told
    assert answer.document["support"]["number"] == made["displayId"]
    assert answer.document["support"]["id"] == made["caseId"]

    again = cordon(*OPEN)
    assert (again.code, again.document["outcome"]) == (0, "already-open"), again.out
    assert again.document["support"]["number"] == made["displayId"]
    assert len(calls.of("support", "CreateCase")) == 1
    assert cordon("case", "verify", *CASE).code == 0


def test_the_number_is_in_the_journal_and_the_text_in_the_vault(
    people: People, cordon: Cordon
) -> None:
    cordon(*OPEN)
    [made] = cases(people)
    runs = cordon("case", "show", "--case", "IR-7", "--json").document["runs"]
    results = [e for r in runs for e in r["entries"] if e["kind"] == "result"]
    [opened] = [e for e in results if e["step"] == "open-support-case"]
    assert opened["now"] == {SUBJECT: {"id": made["caseId"], "number": made["displayId"]}}
    s3 = people.lab.client("s3", REGION)
    listed = s3.list_objects_v2(Bucket=VAULT, Prefix="cases/IR-7/")["Contents"]
    [key] = [o["Key"] for o in listed if "/evidence/support/" in o["Key"]]
    kept = s3.get_object(Bucket=VAULT, Key=key)["Body"].read().decode()
    assert kept == f"Subject: {SUBJECT}\n\n{text_of(made)}"


def test_dry_run_shows_the_text_and_opens_nothing(
    people: People, cordon: Cordon, calls: Calls
) -> None:
    calls.clear()
    answer = cordon(*OPEN, "--dry-run", "--text", "The alert came from our SIEM.")
    assert (answer.code, answer.document["outcome"]) == (0, "planned"), answer.out
    assert calls.mutating == []
    assert cases(people) == []
    assert "The alert came from our SIEM." in answer.document["support"]["text"]
    assert answer.document["support"]["number"] is None


def test_no_secret_is_told(people: People, cordon: Cordon) -> None:
    cordon(*OPEN)
    told = text_of(cases(people)[0])
    assert not any(secret in told for secret in people.secrets)


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_without_a_plan_the_text_is_ready_to_be_pasted(
    people: People, cordon: Cordon, faults: Faults, dry: tuple[str, ...]
) -> None:
    faults.fail("support", "*", "SubscriptionRequiredException", "Premium Support needed")
    answer = cordon(*OPEN, *dry)
    assert answer.code == 3, answer.out
    assert answer.document["outcome"] == ("planned" if dry else "not-opened")
    reason = answer.step("open-support-case")["reason"]
    assert "https://support.console.aws.amazon.com/support/home#/case/create" in reason
    assert answer.document["support"]["subject"] == SUBJECT
    shown = cordon("support", "open", *CASE, *dry)
    assert shown.code == 3
    assert f"Subject: {SUBJECT}" in shown.out
    assert f"key {people.key}: contained" in shown.out


@pytest.mark.parametrize(
    ("down", "answers"), [(("us-east-1",), "us-west-2"), (("us-east-1", "us-west-2"), "eu-west-1")]
)
def test_the_next_endpoint_is_tried(
    people: People,
    cordon: Cordon,
    faults: Faults,
    calls: Calls,
    down: tuple[str, ...],
    answers: str,
) -> None:
    for region in down:
        faults.unreachable("support", region=region)
    assert cordon(*OPEN).code == 0
    assert [c.region for c in calls.of("support", "CreateCase") if not c.error] == [answers]
    faults.clear()
    assert len(cases(people)) == 1


def test_a_lost_answer_does_not_open_a_second_case(
    people: People, cordon: Cordon, faults: Faults, calls: Calls
) -> None:
    faults.lose("support", "CreateCase")
    answer = cordon(*OPEN)
    assert (answer.code, answer.document["outcome"]) == (0, "opened"), answer.out
    assert len(calls.of("support", "CreateCase")) == 1
    assert len(cases(people)) == 1


def test_no_endpoint_answers(people: People, cordon: Cordon, faults: Faults) -> None:
    faults.unreachable("support")
    answer = cordon("support", "open", *CASE)
    assert answer.code == 1
    assert all(r in answer.out for r in ("us-east-1", "us-west-2", "eu-west-1"))
    assert f"Subject: {SUBJECT}" in answer.out


def test_a_denied_call_is_told_with_the_text(
    people: People, cordon: Cordon, faults: Faults
) -> None:
    faults.deny("support", "CreateCase")
    answer = cordon("support", "open", *CASE)
    assert answer.code == 1
    assert "AccessDenied" in answer.out
    assert f"Subject: {SUBJECT}" in answer.out


def test_a_run_that_died_after_opening_is_resumed_without_a_second_case(
    people: People, cordon: Cordon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> None:
        raise SystemExit(9)

    with monkeypatch.context() as patch:
        patch.setattr("responders.actions.open_support_case.OpenSupportCase._appears", die)
        assert cordon(*OPEN).code == 9
    assert len(cases(people)) == 1
    resumed = cordon("resume", "--case", "IR-7", "--json")
    assert resumed.code == 0, resumed.out + resumed.err
    assert len(cases(people)) == 1


def test_a_resolved_case_is_followed_by_a_new_one(people: People, cordon: Cordon) -> None:
    cordon(*OPEN)
    client = people.lab.client("support", "us-east-1")
    client.resolve_case(caseId=cases(people)[0]["caseId"])
    assert cordon(*OPEN).document["outcome"] == "opened"
    assert len(cases(people)) == 2


@pytest.mark.parametrize(
    ("more", "advice"),
    [
        (("--service", "quantum"), "customer-account"),
        (("--category", "quantum"), "sign-in"),
        (("--severity", "extreme"), "critical"),
    ],
)
def test_codes_that_aws_does_not_know(
    people: People, cordon: Cordon, calls: Calls, more: tuple[str, ...], advice: str
) -> None:
    calls.clear()
    answer = cordon(*OPEN, *more)
    assert answer.code == 2, answer.out
    assert advice in answer.document["advice"]
    assert calls.mutating == []


def test_codes_as_wished(people: People, cordon: Cordon) -> None:
    wished = ("--service", "amazon-elastic-compute-cloud-linux", "--category", "instance-issue")
    assert cordon(*OPEN, *wished, "--severity", "high").code == 0
    [made] = cases(people)
    assert (made["serviceCode"], made["severityCode"]) == (wished[1], "high")


def test_severities_and_services_of_a_smaller_plan(
    people: People, cordon: Cordon, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = [{"code": "low", "name": "x"}, {"code": "normal", "name": "y"}]
    services = [{"code": "s3", "name": "S3", "categories": [{"code": "other", "name": "Other"}]}]
    offered = {"describe_severity_levels": {"severityLevels": small}}
    offered["describe_services"] = {"services": services}

    def ask(_aws: Any, question: Any) -> Any:
        class Client:
            def __getattr__(self, name: str) -> Any:
                return lambda **_: offered[name]

        return question(Client())

    monkeypatch.setattr("responders.support.cases.ask", ask)
    from responders.aws import Aws
    from responders.support.cases import About, choose

    assert choose(Aws()) == About("s3", "other", "normal")
    assert choose(Aws()).kind == "technical"


def test_nothing_to_tell_is_bad_input(aws_lab: AwsLab, cordon: Cordon, calls: Calls) -> None:
    populate(aws_lab)
    calls.clear()
    answer = cordon(*OPEN)
    assert answer.code == 2
    assert calls.mutating == []
    assert cordon(*OPEN, "--text", "A partner reported abuse.").code == 0


def test_a_long_case_fits_and_says_what_is_left_out(people: People, cordon: Cordon) -> None:
    from responders.record.case import Case, Run
    from responders.support.text import draft

    runs = Case("IR-7").runs()
    many = Case("IR-7")
    many.runs = lambda: [Run(str(n), runs[0].entries) for n in range(400)]  # type: ignore[method-assign]
    told = draft(many, "123456789012", "alice", "x" * 500)
    assert len(told.body) <= LIMIT
    assert "earlier entries are left out" in told.body
    assert told.body.count(f"key {people.key}: contained") > 20


# -- show --


def test_show(people: People, cordon: Cordon) -> None:
    cordon(*OPEN)
    [made] = cases(people)
    answer = cordon(*SHOW)
    assert answer.code == 0, answer.err
    found = answer.document
    assert (found["number"], found["status"]) == (made["displayId"], "unassigned")
    assert found["messages"][0]["body"] == text_of(made)
    shown = cordon("support", "show", *CASE)
    assert made["displayId"] in shown.out


def test_show_finds_a_case_that_this_machine_did_not_open(
    people: People, cordon: Cordon, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cordon(*OPEN)
    monkeypatch.setenv("CORDON_HOME", str(tmp_path / "elsewhere"))
    assert cordon(*SHOW).document["number"] == cases(people)[0]["displayId"]


def test_show_without_a_support_case(people: People, cordon: Cordon) -> None:
    answer = cordon(*SHOW)
    assert (answer.code, "support open" in answer.err) == (2, True)


def test_show_without_a_plan(people: People, cordon: Cordon, faults: Faults) -> None:
    faults.fail("support", "*", "SubscriptionRequiredException")
    answer = cordon(*SHOW)
    assert (answer.code, "Support Center" in answer.err) == (3, True)
