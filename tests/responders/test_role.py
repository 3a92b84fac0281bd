"""`cordon role` from end to end: what IAM says afterwards, and which calls were made."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.calls import Calls
from lab.policy import Asked, denied_by, statements
from tests.conftest import AwsLab
from tests.responders.conftest import REGION, VAULT, Answer, Cordon
from tests.responders.people import READ, TRUST, People, populate

CASE = ("--case", "IR-7", "--region", REGION, "--json")
RELEASE = ("--case", "IR-7", "--json")
ACCOUNT = "123456789012"
INSTANCE = "i-0123456789abcdef0"


@pytest.fixture
def people(aws_lab: AwsLab) -> People:
    return populate(aws_lab)


def role_changes(calls: Calls) -> list[str]:
    return sorted(c.operation for c in calls.mutating if c.service == "iam")


def is_denied(people: People, session: str, issued: str) -> bool:
    """Whether the role's policies deny a session of this name, issued at this time."""
    context = {"aws:userid": f"{people.role_id}:{session}", "aws:TokenIssueTime": issued}
    found = [s for d in people.inline("deployer", "role").values() for s in statements(d)]
    return denied_by(found, Asked("s3:GetObject", context=context)) is not None


PAST, FUTURE = "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"


def beside_the_pin(answer: Answer) -> list[str]:
    """The residual risks but for the one that every account without a pin has."""
    risks: list[str] = answer.document["residual_risks"]
    assert any("nothing is pinned" in risk for risk in risks)
    return [risk for risk in risks if "nothing is pinned" not in risk]


def test_all_sessions_until_now_are_denied_and_later_ones_work(
    people: People, cordon: Cordon, calls: Calls
) -> None:
    before = people.state()
    assert not is_denied(people, "ci", PAST)
    calls.clear()
    answer = cordon("role", "deployer", *CASE)
    assert (answer.code, answer.document["outcome"]) == (0, "contained"), answer.out + answer.err
    assert (answer.document["target"], answer.document["region"]) == ("role/deployer", REGION)
    assert is_denied(people, "ci", PAST)
    assert is_denied(people, INSTANCE, PAST)
    assert not is_denied(people, "ci", FUTURE)
    assert role_changes(calls) == ["PutRolePolicy"]
    [risk] = beside_the_pin(answer)
    assert "arn:aws:iam::999988887777:root (not of this account)" in risk
    assert "ec2.amazonaws.com" in risk
    assert "--deny-all" in risk

    calls.clear()
    assert cordon("role", "deployer", *CASE).document["outcome"] == "already-contained"
    assert role_changes(calls) == []
    assert cordon("release", "deployer", *RELEASE).code == 0
    assert people.state() == before


@pytest.mark.parametrize(
    ("option", "name", "other"),
    [
        ("--session", "ci", "cd"),
        ("--session", INSTANCE, "i-0fedcba9876543210"),
        ("--instance", INSTANCE, "ci"),
    ],
)
def test_only_one_session_or_instance(
    people: People, cordon: Cordon, option: str, name: str, other: str
) -> None:
    before = people.state()
    answer = cordon("role", "deployer", *CASE, option, name)
    assert (answer.code, answer.document["outcome"]) == (0, "contained"), answer.out
    assert is_denied(people, name, PAST)
    assert not is_denied(people, other, PAST)
    assert not is_denied(people, name, FUTURE)
    assert cordon("release", "deployer", *RELEASE).code == 0
    assert people.state() == before


def test_a_session_by_its_arn(people: People, cordon: Cordon) -> None:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/ci"
    answer = cordon("role", arn, *CASE)
    assert answer.document["target"] == "role/deployer", answer.out
    assert is_denied(people, "ci", PAST)
    assert not is_denied(people, "cd", PAST)
    assert cordon("release", arn, *RELEASE).code == 0
    assert list(people.inline("deployer", "role")) == ["own"]


def test_two_responses_to_a_role_in_one_case_are_released_together(
    people: People, cordon: Cordon
) -> None:
    before = people.state()
    for more in (("--session", "ci"), ("--deny-all",), ()):
        assert cordon("role", "deployer", *CASE, *more).code == 0
    assert len(people.inline("deployer", "role")) == 4
    released = cordon("release", "deployer", *RELEASE)
    assert released.code == 0, released.out
    assert people.state() == before


def test_deny_all_stops_new_sessions_too(people: People, cordon: Cordon) -> None:
    answer = cordon("role", "deployer", *CASE, "--deny-all")
    assert (answer.code, answer.document["outcome"]) == (0, "contained"), answer.out
    assert is_denied(people, "ci", FUTURE)
    assert beside_the_pin(answer) == []


def test_the_trust_policy_is_in_the_evidence(people: People, cordon: Cordon) -> None:
    people.iam.create_instance_profile(InstanceProfileName="web")
    people.iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="deployer")
    cordon("role", "deployer", *CASE)
    s3 = people.lab.client("s3", REGION)
    listed = s3.list_objects_v2(Bucket=VAULT, Prefix="cases/IR-7/")["Contents"]

    def read(name: str) -> Any:
        [key] = [o["Key"] for o in listed if o["Key"].endswith(f"/evidence/role/deployer/{name}")]
        return json.loads(s3.get_object(Bucket=VAULT, Key=key)["Body"].read())

    assert read("role.json")["AssumeRolePolicyDocument"] == TRUST
    assert read("policies.json")["inline"]["own"] == READ
    assert [p["InstanceProfileName"] for p in read("instance-profiles.json")] == ["web"]


def test_a_role_without_room_gets_a_managed_policy(people: People, cordon: Cordon) -> None:
    people.fill(10_050, "deployer", "role")
    before = people.state()
    answer = cordon("role", "deployer", *CASE)
    assert (answer.code, answer.document["outcome"]) == (0, "contained"), answer.out
    assert people.attached("deployer", "role") == people.own_policies() != []
    assert cordon("release", "deployer", *RELEASE).code == 0
    assert people.state() == before


def test_dry_run(people: People, cordon: Cordon, calls: Calls) -> None:
    calls.clear()
    answer = cordon("role", "deployer", *CASE, "--dry-run", "--deny-all")
    assert (answer.code, answer.document["outcome"]) == (0, "planned"), answer.out
    assert calls.mutating == []
    assert answer.step("deny-all")["reason"] == "role/deployer is not denied everything"


def reserved(people: People, path: str, name: str) -> str:
    people.iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(TRUST))
    return name


def test_a_service_linked_role_is_explained(people: People, cordon: Cordon, calls: Calls) -> None:
    path = "/aws-service-role/autoscaling.amazonaws.com/"
    role = reserved(people, path, "AWSServiceRoleForAutoScaling")
    calls.clear()
    answer = cordon("role", role, *CASE)
    assert (answer.code, answer.document["outcome"]) == (1, "not-contained"), answer.out
    step = answer.step("deny-sessions")
    assert (step["status"], "autoscaling.amazonaws.com" in step["reason"]) == ("skipped", True)
    assert role_changes(calls) == []


def test_a_role_of_identity_center_is_explained_with_the_policy_to_use(
    people: People, cordon: Cordon, calls: Calls
) -> None:
    path = "/aws-reserved/sso.amazonaws.com/eu-west-1/"
    role = reserved(people, path, "AWSReservedSSO_Admin_0123456789abcdef")
    calls.clear()
    answer = cordon("role", role, *CASE, "--deny-all")
    assert (answer.code, answer.document["outcome"]) == (1, "not-contained"), answer.out
    reason = answer.step("deny-sessions")["reason"]
    assert "permission set" in reason
    ready = json.loads(reason[reason.index("{") :])
    assert ready["Statement"][0]["Condition"]["DateLessThan"]
    assert answer.step("record-identity")["status"] == "done"
    assert role_changes(calls) == []


def test_a_name_alone_makes_no_reserved_role(people: People, cordon: Cordon) -> None:
    role = reserved(people, "/", "AWSReservedSSO_fake")
    assert cordon("role", role, *CASE).document["outcome"] == "contained"


def test_a_user_and_a_role_of_one_name_are_told_apart(people: People, cordon: Cordon) -> None:
    people.iam.create_user(UserName="deployer")
    assert cordon("user", "deployer", *CASE).code == 0
    assert cordon("role", "deployer", *CASE).code == 0
    answer = cordon("release", "deployer", *RELEASE)
    assert answer.code == 2
    assert "role/deployer, user/deployer" in answer.err
    assert cordon("release", "user/deployer", *RELEASE).code == 0
    assert people.inline("deployer") == {}
    assert "cordon-deny-IR-7" in people.inline("deployer", "role")
    assert cordon("release", "role/deployer", *RELEASE).code == 0
    assert list(people.inline("deployer", "role")) == ["own"]


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (("nobody",), "Check the name"),
        (("alice",), "`cordon user alice`"),
        (("deployer", "--session", "x"), "last slash"),
        (("deployer", "--session", "a*"), "last slash"),
        (("deployer", "--instance", "web-1"), "i-0abcdef0"),
        (("deployer", "--instance", INSTANCE, "--session", "ci"), "one of them"),
        (("deployer", "--session", "ci", "--deny-all"), "Leave out one"),
        ((f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/ci", "--session", "cd"), "one of them"),
        ((f"arn:aws:iam::{ACCOUNT}:user/alice",), "`cordon user"),
        (("service-role/deployer",), "without its path"),
    ],
)
def test_bad_input(
    people: People, cordon: Cordon, calls: Calls, words: tuple[str, ...], advice: str
) -> None:
    calls.clear()
    answer = cordon("role", *words, *CASE)
    assert answer.code == 2, answer.out
    assert advice in answer.document["advice"], answer.err
    assert calls.mutating == []


def test_the_role_in_use_is_refused(people: People, cordon: Cordon) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/deployer"
    answer = cordon("role", "deployer", *CASE, "--role-arn", arn)
    assert answer.code == 2, answer.out
    assert "--force-own-key" in answer.err
    other = cordon("role", "deployer", *CASE, "--role-arn", arn, "--session", "ci", "--dry-run")
    assert other.document["outcome"] == "planned", other.out
