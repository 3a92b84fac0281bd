"""`cordon key` from end to end: what IAM says afterwards, and which calls were made."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.iam.models import iam_backends

from lab.calls import Calls
from lab.faults import Faults
from lab.trail.trail import Trail
from responders.aws import behind
from responders.identity import key_owner
from responders.record.case import Case
from tests.conftest import AwsLab
from tests.responders.conftest import REGION, VAULT, Cordon
from tests.responders.people import READ, People, populate

CASE = ("--case", "IR-7", "--no-hunt", "--region", REGION, "--json")
RELEASE = ("--case", "IR-7", "--json")
ACCOUNT = "123456789012"


@pytest.fixture
def people(aws_lab: AwsLab) -> People:
    return populate(aws_lab)


def iam_changes(calls: Calls) -> list[str]:
    return [c.operation for c in calls.mutating if c.service == "iam"]


def cut_off_of(document: dict[str, Any]) -> datetime:
    moment = document["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"]
    return datetime.fromisoformat(moment)


def test_contains_then_finds_it_contained_then_releases(
    people: People, cordon: Cordon, calls: Calls
) -> None:
    before = people.state()
    calls.clear()
    answer = cordon("key", people.key, *CASE)
    assert (answer.code, answer.document["outcome"]) == (0, "contained"), answer.out + answer.err
    assert answer.document["target"] == people.key
    assert people.statuses() == {people.keys[0]: "Inactive", people.keys[1]: "Active"}
    document = people.inline()[f"cordon-deny-IR-7@{people.key}"]
    [statement] = document["Statement"]
    assert (statement["Effect"], statement["Action"], statement["Resource"]) == ("Deny", "*", "*")
    assert list(statement["Condition"]) == ["DateLessThan"]
    ahead = cut_off_of(document) - datetime.now(UTC)
    assert timedelta(seconds=20) < ahead < timedelta(seconds=32)
    assert sorted(iam_changes(calls)) == ["PutUserPolicy", "UpdateAccessKey"]

    calls.clear()
    again = cordon("key", people.key, *CASE)
    assert (again.code, again.document["outcome"]) == (0, "already-contained"), again.out
    assert iam_changes(calls) == []
    assert people.inline()[f"cordon-deny-IR-7@{people.key}"] == document

    assert cordon("case", "verify", "--case", "IR-7", "--region", REGION).code == 0
    released = cordon("release", people.key, *RELEASE)
    assert (released.code, released.document["outcome"]) == (0, "released"), released.out
    assert people.state() == before


def test_dry_run_changes_nothing_and_says_what_it_would(
    people: People, cordon: Cordon, calls: Calls
) -> None:
    calls.clear()
    answer = cordon("key", people.key, *CASE, "--dry-run", "--all-keys")
    assert (answer.code, answer.document["outcome"]) == (0, "planned"), answer.out
    assert calls.mutating == []
    assert "is active" in answer.step("deactivate-keys")["reason"]
    assert people.keys[1] in answer.step("deactivate-keys")["reason"]
    assert "are not denied" in answer.step("deny-sessions")["reason"]
    assert Case("IR-7").runs() == []


def test_the_record_holds_the_user_and_what_can_be_done_as_him(
    people: People, cordon: Cordon
) -> None:
    cordon("key", people.key, *CASE)
    s3 = people.lab.client("s3", REGION)
    listed = s3.list_objects_v2(Bucket=VAULT, Prefix="cases/IR-7/")["Contents"]
    found = {
        o["Key"].rsplit("/", 1)[-1]: json.loads(
            s3.get_object(Bucket=VAULT, Key=o["Key"])["Body"].read()
        )
        for o in listed
        if f"/evidence/{people.key}/" in o["Key"]
    }
    assert found["user.json"]["UserName"] == "alice"
    assert {k["AccessKeyId"] for k in found["access-keys.json"]} == set(people.keys)
    assert found["policies.json"]["inline"]["own"]["Statement"][0]["Action"] == "s3:GetObject"
    [group] = found["groups.json"]
    assert (group["GroupName"], list(group["Policies"]["inline"])) == ("developers", ["read"])
    assert found["login-profile.json"]["UserName"] == "alice"
    assert found["mfa-devices.json"] == []
    others = found["other-credentials.json"]
    assert others["signing-certificates"][0]["CertificateId"] == people.certificate
    assert others["ssh-public-keys"][0]["SSHPublicKeyId"] == people.ssh_key
    [service] = others["service-specific"]
    assert service["ServiceSpecificCredentialId"] == people.service_credential


def test_all_keys(people: People, cordon: Cordon) -> None:
    answer = cordon("key", people.key, *CASE, "--all-keys")
    assert answer.code == 0, answer.out
    assert people.statuses() == dict.fromkeys(people.keys, "Inactive")
    assert cordon("release", people.key, *RELEASE).code == 0
    assert people.statuses() == dict.fromkeys(people.keys, "Active")


def test_an_inactive_key_is_a_success_and_stays_inactive_on_release(
    people: People, cordon: Cordon, calls: Calls
) -> None:
    people.iam.update_access_key(UserName="alice", AccessKeyId=people.key, Status="Inactive")
    calls.clear()
    answer = cordon("key", people.key, *CASE)
    assert (answer.code, answer.document["outcome"]) == (0, "contained"), answer.out
    assert answer.step("deactivate-keys")["status"] == "already"
    assert iam_changes(calls) == ["PutUserPolicy"]
    assert cordon("release", people.key, *RELEASE).code == 0
    assert people.statuses()[people.key] == "Inactive"


def test_two_keys_of_one_user_in_one_case_are_released_apart(
    people: People, cordon: Cordon
) -> None:
    before = people.state()
    for key in people.keys:
        assert cordon("key", key, *CASE).code == 0
    assert cordon("release", people.keys[0], *RELEASE).code == 0
    assert people.statuses() == {people.keys[0]: "Active", people.keys[1]: "Inactive"}
    assert f"cordon-deny-IR-7@{people.keys[1]}" in people.inline()
    assert cordon("release", people.keys[1], *RELEASE).code == 0
    assert people.state() == before


def test_renew_moves_the_cut_off_and_a_later_run_keeps_it(
    people: People, cordon: Cordon, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = people.state()
    name = f"cordon-deny-IR-7@{people.key}"
    cordon("key", people.key, *CASE)
    first = cut_off_of(people.inline()[name])
    later = (datetime.now(UTC) + timedelta(hours=3)).strftime("%Y%m%dT%H%M%S000")
    monkeypatch.setattr("responders.record.opened_run.new_run", lambda: f"{later}Z-abcdef")
    renewed = cordon("key", people.key, *CASE, "--renew")
    assert renewed.document["outcome"] == "contained", renewed.out
    second = cut_off_of(people.inline()[name])
    assert timedelta(hours=2, minutes=59) < second - first < timedelta(hours=3, minutes=1)
    monkeypatch.setattr("responders.record.opened_run.new_run", lambda: f"{later}Z-abcdeg")
    assert cordon("key", people.key, *CASE).document["outcome"] == "already-contained"
    assert cut_off_of(people.inline()[name]) == second
    monkeypatch.setattr("responders.record.opened_run.new_run", lambda: f"{later}Z-abcdeh")
    assert cordon("release", people.key, *RELEASE).code == 0
    assert people.state() == before


def test_contained_anew_after_a_release_the_cut_off_is_new(
    people: People, cordon: Cordon, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"cordon-deny-IR-7@{people.key}"
    cordon("key", people.key, *CASE)
    first = cut_off_of(people.inline()[name])
    cordon("release", people.key, *RELEASE)
    monkeypatch.setattr("responders.record.journal.now", lambda: "2099-01-01T00:00:00.000Z")
    assert cordon("key", people.key, *CASE).code == 0
    assert cut_off_of(people.inline()[name]) == datetime(2099, 1, 1, 0, 0, 30, tzinfo=UTC) > first


# -- room for policies --


def test_without_room_for_an_inline_policy_a_managed_one_denies(
    people: People, cordon: Cordon
) -> None:
    people.fill(1_850)
    before = people.state()
    answer = cordon("key", people.key, *CASE)
    assert (answer.code, answer.document["outcome"]) == (0, "contained"), answer.out
    [arn] = people.attached()
    assert arn == f"arn:aws:iam::{ACCOUNT}:policy/cordon/cordon-deny-IR-7@{people.key}=user.alice"
    version = people.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = people.iam.get_policy_version(PolicyArn=arn, VersionId=version)
    statement = document["PolicyVersion"]["Document"]["Statement"][0]
    assert (statement["Effect"], statement["Action"]) == ("Deny", "*")
    notes = " ".join(answer.step("deny-sessions")["notes"])
    assert "of 2048 characters" in notes
    assert cordon("key", people.key, *CASE).document["outcome"] == "already-contained"
    assert cordon("release", people.key, *RELEASE).code == 0
    assert people.state() == before


def test_without_any_room_it_says_so_and_the_key_is_inactive_all_the_same(
    people: People, cordon: Cordon
) -> None:
    people.fill(1_850)
    for n in range(10):
        policy = people.iam.create_policy(
            PolicyName=f"p{n}",
            PolicyDocument=json.dumps(READ),
        )
        people.iam.attach_user_policy(UserName="alice", PolicyArn=policy["Policy"]["Arn"])
    answer = cordon("key", people.key, *CASE)
    assert (answer.code, answer.document["outcome"]) == (1, "not-contained"), answer.out
    reason = answer.step("deny-sessions")["reason"]
    assert "of 2048 characters" in reason
    assert "Detach a managed policy" in reason
    assert people.statuses()[people.key] == "Inactive"


def test_a_quota_that_aws_counts_otherwise_falls_back_too(
    people: People, cordon: Cordon, faults: Faults
) -> None:
    faults.fail("iam", "PutUserPolicy", "LimitExceeded", status=409)
    assert cordon("key", people.key, *CASE).code == 0
    assert len(people.attached()) == 1


# -- misfortune --


def test_a_refused_policy_is_not_contained_though_the_key_is_inactive(
    people: People, cordon: Cordon, faults: Faults
) -> None:
    faults.deny("iam", "PutUserPolicy")
    answer = cordon("key", people.key, *CASE)
    assert (answer.code, answer.document["outcome"]) == (1, "not-contained")
    assert "AccessDenied" in answer.step("deny-sessions")["reason"]
    assert people.statuses()[people.key] == "Inactive"


def test_an_attacker_who_turns_the_key_on_again_meanwhile_loses(
    people: People, cordon: Cordon, faults: Faults
) -> None:
    def revert(_call: Any) -> None:
        people.iam.update_access_key(UserName="alice", AccessKeyId=people.key, Status="Active")

    faults.delay("iam", "PutUserPolicy", 0.5)
    faults.after("iam", "PutUserPolicy", revert, times=1)
    answer = cordon("key", people.key, *CASE)
    assert answer.code == 0, answer.out
    assert people.statuses()[people.key] == "Inactive"
    assert "no longer held" in " ".join(answer.step("deactivate-keys")["notes"])


def test_without_a_vault_it_contains_and_says_3(
    people: People, cordon: Cordon, faults: Faults
) -> None:
    faults.deny("s3", "PutObject")
    answer = cordon("key", people.key, *CASE)
    assert (answer.code, answer.document["outcome"]) == (3, "contained"), answer.out
    assert people.statuses()[people.key] == "Inactive"


def test_a_part_of_the_record_that_fails_is_named(
    people: People, cordon: Cordon, faults: Faults
) -> None:
    faults.deny("iam", "ListMFADevices")
    answer = cordon("key", people.key, *CASE)
    assert (answer.code, answer.document["outcome"]) == (3, "contained"), answer.out
    assert "mfa-devices.json" in answer.step("record-identity")["reason"]
    faults.clear()
    again = cordon("key", people.key, *CASE)
    assert (again.code, again.document["outcome"]) == (0, "already-contained"), again.out


# -- refusals --


@pytest.mark.parametrize(
    "text", ["akiaiosfodnn7example", "AKIA123", "AKIAIOSFODNN7EXAMPLE1", "alice", "", "AKIA*"]
)
def test_what_is_no_key_id_is_refused_before_any_call(
    people: People, cordon: Cordon, calls: Calls, text: str
) -> None:
    calls.clear()
    answer = cordon("key", text, *CASE)
    assert answer.code == 2, answer.out
    assert list(calls) == []


def test_a_secret_given_by_mistake_is_not_repeated(people: People, cordon: Cordon) -> None:
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    answer = cordon("key", secret, *CASE)
    assert answer.code == 2
    assert secret not in answer.out + answer.err
    assert "secret" in answer.err


@pytest.mark.parametrize(("text", "advice"), [("AIDAIOSFODNN7EXAMPLE", "cordon user")])
def test_other_ids_are_explained(people: People, cordon: Cordon, text: str, advice: str) -> None:
    answer = cordon("key", text, *CASE)
    assert (answer.code, advice in answer.err) == (2, True)


def test_another_accounts_key_is_named_and_not_touched(
    people: People, cordon: Cordon, calls: Calls
) -> None:
    calls.clear()
    answer = cordon("key", "AKIA2OGYBAH6QEXAMPLE", *CASE)
    assert answer.code == 2
    assert "belongs to account" in answer.err
    assert calls.mutating == []
    assert {c.operation for c in calls} == {"GetCallerIdentity", "GetAccessKeyInfo"}


def test_a_key_that_nobody_has(people: People, cordon: Cordon, calls: Calls) -> None:
    people.iam.delete_access_key(UserName="alice", AccessKeyId=people.key)
    calls.clear()
    answer = cordon("key", people.key, *CASE)
    assert answer.code == 2
    assert "there is no access key" in answer.err
    assert calls.mutating == []


def test_a_denied_question_for_the_owner_is_answered_by_looking(
    people: People, cordon: Cordon, faults: Faults
) -> None:
    faults.deny("iam", "GetAccessKeyLastUsed")
    answer = cordon("key", people.keys[1], *CASE)
    assert answer.document["outcome"] == "contained", answer.out
    assert people.statuses()[people.keys[1]] == "Inactive"


def test_roots_key_is_for_a_person(people: People, cordon: Cordon, calls: Calls) -> None:
    people.iam.delete_access_key(UserName="alice", AccessKeyId=people.key)
    iam_backends[ACCOUNT]["aws"].account_summary._account_access_keys_present = 1
    calls.clear()
    answer = cordon("key", people.key, *CASE)
    assert answer.code == 1
    assert "root" in answer.document["error"]
    assert "delete the root's access keys" in answer.document["advice"]
    assert calls.mutating == []


@pytest.fixture
def as_alice(people: People, monkeypatch: pytest.MonkeyPatch) -> People:
    """Alice herself runs cordon, with her second key."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", people.keys[1])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", people.secrets[1])
    return people


def test_the_key_in_use_is_refused(as_alice: People, cordon: Cordon, calls: Calls) -> None:
    calls.clear()
    answer = cordon("key", as_alice.keys[1], *CASE)
    assert answer.code == 2
    assert "--force-own-key" in answer.err
    assert calls.mutating == []


def test_a_sibling_of_the_key_in_use_is_refused_too(as_alice: People, cordon: Cordon) -> None:
    for more in ((), ("--all-keys",), ("--dry-run",)):
        assert cordon("key", as_alice.keys[0], *CASE, *more).code == 2
    assert as_alice.statuses() == dict.fromkeys(as_alice.keys, "Active")


def test_forced_it_is_done(as_alice: People, cordon: Cordon) -> None:
    answer = cordon("key", as_alice.keys[0], *CASE, "--force-own-key")
    assert answer.document["outcome"] == "contained", answer.out
    assert as_alice.statuses()[as_alice.keys[0]] == "Inactive"


def test_a_role_assumed_with_the_key_counts_as_using_it(as_alice: People, cordon: Cordon) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/deployer"
    answer = cordon("key", as_alice.keys[1], *CASE, "--role-arn", arn)
    assert answer.code == 2, answer.out
    assert "--force-own-key" in answer.err


# -- deletion --


def test_deleted_only_after_the_record_is_in_the_vault(
    people: People, cordon: Cordon, calls: Calls
) -> None:
    assert cordon("key", people.key, *CASE, "--delete").code == 2
    assert people.statuses()[people.key] == "Active"
    assert cordon("key", people.key, *CASE).code == 0
    calls.clear()
    answer = cordon("key", people.key, *CASE, "--delete")
    assert (answer.code, answer.document["outcome"]) == (0, "contained"), answer.out
    assert list(people.statuses()) == [people.keys[1]]
    assert iam_changes(calls) == ["DeleteAccessKey"]
    released = cordon("release", people.key, *RELEASE)
    assert released.code == 3, released.out
    assert "can't come back" in released.step("delete-key")["reason"]
    assert [n for n in people.inline() if n.startswith("cordon")] == []


def test_a_key_that_was_turned_on_again_is_not_deleted(people: People, cordon: Cordon) -> None:
    cordon("key", people.key, *CASE)
    people.iam.update_access_key(UserName="alice", AccessKeyId=people.key, Status="Active")
    answer = cordon("key", people.key, *CASE, "--delete")
    assert answer.code == 2
    assert "only an inactive key" in answer.err
    assert people.key in people.statuses()


def test_an_inactive_key_that_this_case_did_not_handle_is_not_deleted(
    people: People, cordon: Cordon
) -> None:
    people.iam.update_access_key(UserName="alice", AccessKeyId=people.key, Status="Inactive")
    answer = cordon("key", people.key, *CASE, "--delete")
    assert answer.code == 2
    assert "no record" in answer.err
    assert people.key in people.statuses()


@pytest.mark.parametrize("lost", ["access-keys.json", "journal/"])
def test_a_key_whose_record_is_not_in_the_vault_is_not_deleted(
    people: People, cordon: Cordon, faults: Faults, lost: str
) -> None:
    faults.deny("s3", "PutObject", only=lambda call: lost in str(call.params["Key"]))
    assert cordon("key", people.key, *CASE).code == 3
    faults.clear()
    answer = cordon("key", people.key, *CASE, "--delete")
    assert answer.code == 2, answer.out
    assert "vault" in answer.err
    assert people.key in people.statuses()
    assert cordon("case", "sync", "--case", "IR-7", "--region", REGION).code == 0
    assert cordon("key", people.key, *CASE, "--delete").code == 0
    assert people.key not in people.statuses()


def test_a_deletion_that_died_is_resumed(
    people: People, cordon: Cordon, monkeypatch: pytest.MonkeyPatch
) -> None:
    cordon("key", people.key, *CASE)

    def die(*_: Any) -> None:
        raise SystemExit(9)

    with monkeypatch.context() as patch:
        patch.setattr("responders.runner.Runner._refreshed", die)
        assert cordon("key", people.key, *CASE, "--delete").code == 9
    assert people.key not in people.statuses()
    resumed = cordon("resume", "--case", "IR-7", "--json")
    assert resumed.code == 0, resumed.out + resumed.err


# -- temporary keys --


def identity(kind: str, key: str, **more: Any) -> dict[str, Any]:
    return {"userIdentity": {"type": kind, "accessKeyId": key, "accountId": ACCOUNT, **more}}


ASIA = "ASIAIOSFODNN7EXAMPLE"
ASSUMED = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/ci"
MINTED = {"credentials": {"accessKeyId": ASIA}}


@pytest.mark.parametrize(
    ("event", "found"),
    [
        (identity("AssumedRole", ASIA, arn=ASSUMED), "role/deployer/ci"),
        (identity("IAMUser", ASIA, userName="alice"), "user/alice"),
        (
            identity(
                "FederatedUser",
                ASIA,
                sessionContext={"sessionIssuer": {"type": "IAMUser", "userName": "alice"}},
            ),
            "user/alice",
        ),
        (
            {
                **identity("IAMUser", "AKIAIOSFODNN7EXAMPLE", userName="bob"),
                "responseElements": {**MINTED, "assumedRoleUser": {"arn": ASSUMED}},
            },
            "role/deployer/ci",
        ),
        (
            {
                **identity("IAMUser", "AKIAIOSFODNN7EXAMPLE", userName="bob"),
                "responseElements": MINTED,
            },
            "user/bob",
        ),
        (identity("AWSService", ASIA), None),
        (identity("IAMUser", "ASIAOTHERNN7EXAMPLE0", userName="alice"), None),
        (identity("IAMUser", ASIA, userName="../x"), None),
        ({"userIdentity": "text", "responseElements": None}, None),
        ({}, None),
    ],
)
def test_who_a_temporary_key_stands_for(event: dict[str, Any], found: str | None) -> None:
    principal = key_owner._principal(event, ASIA)
    assert (str(principal) if principal else None) == found


def test_a_session_of_root_is_for_a_person() -> None:
    with pytest.raises(key_owner.NotContained):
        key_owner._principal(identity("Root", ASIA), ASIA)


# -- from containment to the hunt --

HUNTING = ("--case", "IR-7", "--region", REGION, "--json")


def test_what_was_done_with_the_key_is_found_in_the_same_command(
    people: People, cordon: Cordon, trail: Trail
) -> None:
    people.allow_all()
    iam = people.as_alice("iam")
    iam.create_user(UserName="backdoor")
    made = iam.create_access_key(UserName="backdoor")["AccessKey"]["AccessKeyId"]
    answer = cordon("key", people.key, *HUNTING)
    assert (answer.code, answer.document["outcome"]) == (3, "open-leads"), answer.out + answer.err
    document = answer.document
    assert list(document)[-1] == "open"
    assert made in {lead["id"] for lead in document["open"] if lead["severity"] == "critical"}
    assert "backdoor" in {one["id"] for one in document["created"]}
    assert made in {one["value"] for one in document["followed_keys"]}
    assert document["regions"][REGION] == "ok"
    assert document["complete"] is True
    assert people.statuses()[people.key] == "Inactive"
    runs = [run.begin["command"] for run in Case("IR-7").runs()]
    assert runs == ["key", "hunt"]
    assert cordon("release", people.key, *RELEASE).code == 0


def test_a_region_that_can_t_be_hunted_makes_it_3_and_is_named(
    people: People, cordon: Cordon, faults: Faults, trail: Trail
) -> None:
    faults.deny("cloudtrail", "LookupEvents", region="eu-north-1")
    answer = cordon("key", people.key, *HUNTING)
    assert (answer.code, answer.document["outcome"]) == (3, "contained"), answer.out
    assert answer.document["complete"] is False
    assert any("eu-north-1" in risk for risk in answer.document["residual_risks"])


def test_a_hunt_does_not_make_a_failed_containment_better(
    people: People, cordon: Cordon, faults: Faults, trail: Trail
) -> None:
    faults.deny("iam", "PutUserPolicy")
    answer = cordon("key", people.key, *HUNTING)
    assert (answer.code, answer.document["outcome"]) == (1, "not-contained"), answer.out
    assert answer.document["complete"] is True


def test_a_hunt_that_can_not_begin_is_told_and_the_key_is_contained(
    people: People, cordon: Cordon, faults: Faults, trail: Trail
) -> None:
    faults.deny("ec2", "DescribeRegions")
    answer = cordon("key", people.key, *HUNTING)
    assert (answer.code, answer.document["outcome"]) == (3, "contained"), answer.out
    assert "the hunt failed" in answer.document["residual_risks"][-1]


def test_for_people_both_are_shown(people: People, cordon: Cordon, trail: Trail) -> None:
    answer = cordon("key", people.key, "--case", "IR-7", "--region", REGION)
    assert answer.code == 0
    assert answer.out.index("CONTAINED") < answer.out.index(f"FOUND: key {people.key}")
    assert "No hunt was run" not in answer.out
    assert "OPEN LEADS" not in answer.out


def test_a_second_key_of_the_attacker_is_the_last_word(
    people: People, cordon: Cordon, trail: Trail
) -> None:
    """Of the same user, so that nothing but the key's own state makes it harmless."""
    people.allow_all()
    people.iam.delete_access_key(UserName="alice", AccessKeyId=people.keys[1])
    made = people.as_alice("iam").create_access_key(UserName="alice")["AccessKey"]["AccessKeyId"]
    answer = cordon("key", people.key, "--case", "IR-7", "--region", REGION)
    assert answer.code == 3, answer.out + answer.err
    *_, command, last = answer.out.strip().splitlines()
    assert last.startswith("OPEN LEADS: the key is contained")
    assert f"cordon key {made}" in command
    assert people.statuses() == {people.key: "Inactive", made: "Active"}

    assert cordon("key", made, *CASE).code == 0
    answer = cordon("key", people.key, *HUNTING)
    assert (answer.code, answer.document["outcome"]) == (0, "already-contained"), answer.out


@pytest.mark.parametrize("words", [("key", ""), ("user", "alice"), ("role", "deployer")])
def test_without_a_hunt_the_last_line_says_so(
    people: People, cordon: Cordon, words: tuple[str, str]
) -> None:
    command, target = words[0], words[1] or people.key
    more = ("--no-hunt",) if command == "key" else ()
    place = ("--case", "IR-7", "--region", REGION)
    assert "No hunt was run" not in cordon(command, target, *place, *more, "--dry-run").out
    answer = cordon(command, target, *place, *more)
    assert answer.code == 0, answer.out + answer.err
    last = answer.out.strip().splitlines()[-1]
    assert last.startswith("No hunt was run: ")
    hunt = last.partition("Run cordon ")[2].split()
    assert cordon(*hunt, "--region", REGION, "--json").document["command"] == "hunt"


# -- temporary keys, by CloudTrail --


def test_a_session_key_is_revoked_at_its_role_by_name(
    people: People, cordon: Cordon, trail: Trail, calls: Calls
) -> None:
    before = people.state()
    arn = f"arn:aws:iam::{ACCOUNT}:role/deployer"
    minted = people.lab.client("sts", "eu-north-1").assume_role(RoleArn=arn, RoleSessionName="ci")
    key = minted["Credentials"]["AccessKeyId"]
    answer = cordon("key", key, *CASE)
    assert (answer.code, answer.document["outcome"]) == (0, "contained"), answer.out + answer.err
    [statement] = people.inline("deployer", "role")[f"cordon-deny-IR-7@{key}"]["Statement"]
    assert statement["Condition"]["StringLike"] == {"aws:userid": f"{people.role_id}:ci"}
    assert "DateLessThan" in statement["Condition"]
    assert people.statuses() == dict.fromkeys(people.keys, "Active")
    assert cordon("key", key, *CASE).document["outcome"] == "already-contained"
    assert cordon("key", key, *CASE, "--delete").code == 2
    assert cordon("release", key, *RELEASE).code == 0
    assert people.state() == before


def test_a_session_key_of_a_user_is_revoked_at_the_user(
    people: People, cordon: Cordon, trail: Trail
) -> None:
    minted = people.as_alice("sts").get_session_token()["Credentials"]["AccessKeyId"]
    answer = cordon("key", minted, *CASE)
    assert (answer.code, answer.document["outcome"]) == (0, "contained"), answer.out + answer.err
    assert f"cordon-deny-IR-7@{minted}" in people.inline()
    assert people.statuses() == dict.fromkeys(people.keys, "Active")


def test_a_session_key_that_cloudtrail_does_not_know(
    people: People, cordon: Cordon, trail: Trail, calls: Calls
) -> None:
    calls.clear()
    key = f"ASIA{people.key[4:]}"
    answer = cordon("key", key, *CASE)
    assert answer.code == 1
    assert "`cordon role`" in answer.document["advice"]
    assert calls.mutating == []


def test_a_clock_that_is_behind_does_not_put_the_cut_off_into_the_past(
    people: People, cordon: Cordon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("responders.aws.behind", lambda _answer, _now: timedelta(minutes=10))
    assert cordon("key", people.key, *CASE).code == 0
    document = people.inline()[f"cordon-deny-IR-7@{people.key}"]
    assert cut_off_of(document) - datetime.now(UTC) > timedelta(minutes=10)


def test_how_far_the_clock_is_behind() -> None:
    now = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)

    def answer(date: str) -> dict[str, Any]:
        return {"ResponseMetadata": {"HTTPHeaders": {"date": date}}}

    assert behind(answer("Sat, 31 Jan 2026 12:04:00 GMT"), now) == timedelta(minutes=4)
    assert behind(answer("Sat, 31 Jan 2026 12:00:01 GMT"), now) == timedelta()
    assert behind(answer("Sat, 31 Jan 2026 11:00:00 GMT"), now) == timedelta()
    assert behind(answer("yesterday"), now) == timedelta()
    assert behind({}, now) == timedelta()


def test_room_that_can_t_be_measured_stops_nothing(
    people: People, cordon: Cordon, faults: Faults
) -> None:
    faults.deny("iam", "ListUserPolicies")
    answer = cordon("key", people.key, *CASE)
    assert (answer.code, answer.document["outcome"]) == (3, "contained"), answer.out
    faults.clear()
    assert f"cordon-deny-IR-7@{people.key}" in people.inline()


def test_the_region_may_come_from_aws_region_and_release_needs_none(
    people: People, cordon: Cordon, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = people.state()
    words = ("--case", "IR-7", "--no-hunt", "--json")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    assert cordon("key", people.key, *words).code == 2
    monkeypatch.setenv("AWS_REGION", REGION)
    answer = cordon("key", people.key, *words)
    assert (answer.code, answer.document["region"]) == (0, REGION), answer.out
    monkeypatch.delenv("AWS_REGION")
    assert cordon("release", people.key, *RELEASE).code == 0
    assert people.state() == before
