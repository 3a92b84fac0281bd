"""`cordon user` from end to end: what IAM says afterwards, and which calls were made."""

from __future__ import annotations

import pytest
from moto.iam.models import iam_backends

from lab.calls import Calls
from lab.faults import Faults
from tests.conftest import AwsLab
from tests.responders.conftest import REGION, Cordon
from tests.responders.people import People, populate

CASE = ("--case", "IR-7", "--region", REGION, "--json")
RELEASE = ("--case", "IR-7", "--json")
ACCOUNT = "123456789012"
DENY = "cordon-deny-IR-7=all"


@pytest.fixture
def people(aws_lab: AwsLab) -> People:
    return populate(aws_lab)


def iam_changes(calls: Calls) -> list[str]:
    return sorted(c.operation for c in calls.mutating if c.service == "iam")


def has_password(people: People) -> bool:
    try:
        people.iam.get_login_profile(UserName="alice")
    except people.iam.exceptions.NoSuchEntityException:
        return False
    return True


def test_everything_is_denied_and_inactive_nothing_is_destroyed(
    people: People, cordon: Cordon, calls: Calls
) -> None:
    before = people.state()
    calls.clear()
    answer = cordon("user", "alice", *CASE)
    assert (answer.code, answer.document["outcome"]) == (0, "contained"), answer.out + answer.err
    assert answer.document["target"] == "user/alice"
    [statement] = people.inline()[DENY]["Statement"]
    assert statement == {
        "Sid": "CordonEverything",
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
    }
    now = people.state()
    assert set(now["keys"].values()) == {"Inactive"}
    assert now["certificates"] == {people.certificate: "Inactive"}
    assert now["ssh"] == {people.ssh_key: "Inactive"}
    assert now["services"] == {people.service_credential: "Inactive"}
    assert has_password(people)
    assert now["role inline"] == before["role inline"]
    assert iam_changes(calls) == [
        "PutUserPolicy",
        "UpdateAccessKey",
        "UpdateAccessKey",
        "UpdateSSHPublicKey",
        "UpdateServiceSpecificCredential",
        "UpdateSigningCertificate",
    ]
    notes = answer.step("record-identity")["notes"]
    assert "no MFA device" in notes
    assert "has a console password" in notes

    calls.clear()
    again = cordon("user", "alice", *CASE)
    assert (again.code, again.document["outcome"]) == (0, "already-contained"), again.out
    assert iam_changes(calls) == []

    released = cordon("release", "alice", *RELEASE)
    assert (released.code, released.document["outcome"]) == (0, "released"), released.out
    assert people.state() == before


def test_dry_run(people: People, cordon: Cordon, calls: Calls) -> None:
    calls.clear()
    answer = cordon("user", "alice", *CASE, "--dry-run", "--delete-login")
    assert (answer.code, answer.document["outcome"]) == (0, "planned"), answer.out
    assert calls.mutating == []
    assert "can't be restored" in answer.step("drop-login")["reason"]


def test_the_password_is_deleted_only_when_asked_and_release_is_honest(
    people: People, cordon: Cordon
) -> None:
    answer = cordon("user", "alice", *CASE, "--delete-login")
    assert (answer.code, answer.document["outcome"]) == (0, "contained"), answer.out
    assert not has_password(people)
    assert cordon("user", "alice", *CASE).document["outcome"] == "already-contained"
    released = cordon("release", "user/alice", *RELEASE)
    assert released.code == 3, released.out
    assert "create-login-profile --user-name alice" in released.step("drop-login")["reason"]
    assert set(people.statuses().values()) == {"Active"}
    assert DENY not in people.inline()


def test_a_user_without_credentials(people: People, cordon: Cordon) -> None:
    answer = cordon("user", "bob", *CASE)
    assert (answer.code, answer.document["outcome"]) == (0, "contained"), answer.out
    assert list(people.inline("bob")) == [DENY]


def test_a_refused_deny_is_not_contained(people: People, cordon: Cordon, faults: Faults) -> None:
    faults.deny("iam", "PutUserPolicy")
    answer = cordon("user", "alice", *CASE)
    assert (answer.code, answer.document["outcome"]) == (1, "not-contained"), answer.out
    assert set(people.statuses().values()) == {"Inactive"}


def test_other_credentials_that_stay_active_are_told(
    people: People, cordon: Cordon, faults: Faults
) -> None:
    faults.deny("iam", "UpdateSSHPublicKey")
    answer = cordon("user", "alice", *CASE)
    assert (answer.code, answer.document["outcome"]) == (3, "contained"), answer.out
    assert f"SSH public key {people.ssh_key}" in answer.step("deactivate-credentials")["reason"]
    assert people.state()["certificates"] == {people.certificate: "Inactive"}


def test_a_key_and_its_user_in_one_case_are_released_apart(people: People, cordon: Cordon) -> None:
    before = people.state()
    assert cordon("key", people.key, *CASE, "--no-hunt").code == 0
    assert cordon("user", "alice", *CASE).code == 0
    assert cordon("release", "alice", *RELEASE).code == 0
    assert people.statuses() == {people.keys[0]: "Inactive", people.keys[1]: "Active"}
    assert cordon("release", people.key, *RELEASE).code == 0
    assert people.state() == before


@pytest.mark.parametrize("text", ["alice", "user/alice", f"arn:aws:iam::{ACCOUNT}:user/team/alice"])
def test_ways_to_name_a_user(people: People, cordon: Cordon, text: str) -> None:
    answer = cordon("user", text, *CASE, "--dry-run")
    assert answer.document["target"] == "user/alice", answer.out


def test_a_unique_id_from_cloudtrail(people: People, cordon: Cordon) -> None:
    unique = "AIDAIOSFODNN7EXAMPLE0"
    iam_backends[ACCOUNT]["aws"].users["alice"].id = unique  # moto's own ids look otherwise
    answer = cordon("user", unique, *CASE, "--dry-run")
    assert answer.document["target"] == "user/alice", answer.out


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("carol", "Check the name and the account"),
        ("Alice", "`cordon user alice`"),
        ("deployer", "`cordon role deployer`"),
        ("role/deployer", "`cordon role deployer`"),
        ("AKIAIOSFODNN7EXAMPLE", "`cordon key AKIAIOSFODNN7EXAMPLE`"),
        ("i-0123456789abcdef0", "`cordon instance"),
        ("alice smith", "without its path"),
        ("team/alice", "without its path"),
        ("*", "without its path"),
        ("arn:aws:iam::999988887777:user/alice", "credentials of that account"),
        (f"arn:aws:iam::{ACCOUNT}:role/deployer", "`cordon role"),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/guest", "federated"),
        ("arn:aws:iam", "whole ARN"),
        ("AIDAIOSFODNN7EXAMPLE0", "of another account, or was deleted"),
        ("AROAIOSFODNN7EXAMPLE0", "`cordon role AROA"),
    ],
)
def test_who_is_no_user_is_refused_with_advice(
    people: People, cordon: Cordon, calls: Calls, text: str, advice: str
) -> None:
    calls.clear()
    answer = cordon("user", text, *CASE)
    assert answer.code == 2, answer.out
    assert advice in answer.document["advice"], answer.err
    assert calls.mutating == []


def test_root_is_for_a_person(people: People, cordon: Cordon, calls: Calls) -> None:
    calls.clear()
    answer = cordon("user", f"arn:aws:iam::{ACCOUNT}:root", *CASE)
    assert answer.code == 1
    assert "root password" in answer.document["advice"]
    assert calls.mutating == []


def test_oneself_is_refused(
    people: People, cordon: Cordon, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", people.keys[1])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", people.secrets[1])
    calls.clear()
    answer = cordon("user", "alice", *CASE)
    assert answer.code == 2
    assert "--force-own-key" in answer.err
    assert calls.mutating == []


def test_a_user_deleted_since_is_released_without_error(people: People, cordon: Cordon) -> None:
    assert cordon("user", "bob", *CASE).code == 0
    people.iam.delete_user_policy(UserName="bob", PolicyName=DENY)
    people.iam.delete_user(UserName="bob")
    released = cordon("release", "bob", *RELEASE)
    assert (released.code, released.document["outcome"]) == (0, "released"), released.out
