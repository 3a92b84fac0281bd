"""Each action on identities through its whole life: planned, done, crashed, released, drifted."""

from __future__ import annotations

import pytest

from lab.calls import Calls
from responders.actions.deactivate_credentials import DeactivateCredentials
from responders.actions.deactivate_keys import DeactivateKeys
from responders.actions.delete_key import DeleteKey
from responders.actions.deny_all import DenyAll
from responders.actions.deny_sessions import DenySessions
from responders.actions.drop_login import DropLogin
from responders.actions.record_identity import RecordIdentity
from responders.identity import deny_document
from responders.identity.principal import Principal
from responders.result import Failed, Skipped
from tests.conftest import AwsLab
from tests.responders.life import Life
from tests.responders.people import People, populate

ALICE, DEPLOYER = "user/alice", "role/deployer"


@pytest.fixture
def people(aws_lab: AwsLab) -> People:
    return populate(aws_lab)


def life(action, people: People, calls: Calls, subject: str, target: str = "") -> Life:
    return Life(
        action,
        people,
        calls,
        people.state,
        target=target or subject,
        subject=Principal.parse(subject),
    )


def test_deactivate_keys(people: People, calls: Calls) -> None:
    def done() -> None:
        assert people.statuses() == {people.keys[0]: "Inactive", people.keys[1]: "Active"}

    life(DeactivateKeys(), people, calls, ALICE, people.key).whole(done)


def test_deactivate_keys_that_somebody_else_deleted(people: People, calls: Calls) -> None:
    def drift() -> str:
        people.iam.delete_access_key(UserName="alice", AccessKeyId=people.key)
        return people.key

    life(DeactivateKeys(), people, calls, ALICE, people.key).drifted(drift)


def test_deny_sessions_of_a_user(people: People, calls: Calls) -> None:
    one = life(DenySessions(), people, calls, ALICE, people.key)

    def name() -> str:
        return deny_document.policy_name(one.case, people.key)

    def done() -> None:
        assert name() in people.inline()

    def drift() -> str:
        people.iam.delete_user_policy(UserName="alice", PolicyName=name())
        people.iam.put_user_policy(
            UserName="alice",
            PolicyName=name(),
            PolicyDocument=deny_document.text(deny_document.everything()),
        )
        return name()

    one.whole(done, drift)


def test_deny_sessions_of_a_user_without_room(people: People, calls: Calls) -> None:
    people.fill(1_850)

    def done() -> None:
        assert people.attached() == people.own_policies() != []

    life(DenySessions(), people, calls, ALICE, people.key).whole(done)


def test_a_managed_policy_is_replaced_and_leaves_nothing(people: People, calls: Calls) -> None:
    people.fill(1_850)
    before = people.state()
    one = life(DenySessions(), people, calls, ALICE, people.key)
    one.run()
    [arn] = people.attached()
    for _ in range(6):  # more often than a policy has versions
        versions = people.iam.list_policy_versions(PolicyArn=arn)["Versions"]
        for version in versions:
            if not version["IsDefaultVersion"]:
                people.iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
        people.iam.create_policy_version(
            PolicyArn=arn,
            PolicyDocument=deny_document.text(deny_document.everything()),
            SetAsDefault=True,
        )
        one.run()
    statement = one.observe()[deny_document.policy_name(one.case, people.key)]["document"][
        "Statement"
    ][0]
    assert statement["Sid"] == "CordonSessions"
    assert one.release() is not None
    assert people.state() == before


def test_deny_sessions_of_a_role(people: People, calls: Calls) -> None:
    one = life(DenySessions(session="ci"), people, calls, DEPLOYER)

    def done() -> None:
        [document] = [
            d
            for n, d in people.inline("deployer", "role").items()
            if n == f"cordon-deny-{one.case}@ci"
        ]
        condition = document["Statement"][0]["Condition"]
        assert condition["StringLike"] == {"aws:userid": f"{people.role_id}:ci"}

    one.whole(done)


@pytest.mark.parametrize("subject", [ALICE, DEPLOYER])
def test_deny_all(people: People, calls: Calls, subject: str) -> None:
    kind, name = subject.split("/")
    one = life(DenyAll(), people, calls, subject)

    def done() -> None:
        assert deny_document.policy_name(one.case, deny_document.EVERYTHING) in people.inline(
            name, kind
        )

    def drift() -> str:
        policy = deny_document.policy_name(one.case, deny_document.EVERYTHING)
        delete = getattr(people.iam, f"delete_{kind}_policy")
        delete(**{f"{kind.title()}Name": name}, PolicyName=policy)
        put = getattr(people.iam, f"put_{kind}_policy")
        put(
            **{f"{kind.title()}Name": name},
            PolicyName=policy,
            PolicyDocument=deny_document.text(deny_document.everything("AROAX:i-0*")),
        )
        return policy

    one.whole(done, drift)


def test_deactivate_credentials(people: People, calls: Calls) -> None:
    def done() -> None:
        now = people.state()
        for kind in ("certificates", "ssh", "services"):
            assert set(now[kind].values()) == {"Inactive"}

    def drift() -> str:
        people.iam.delete_ssh_public_key(UserName="alice", SSHPublicKeyId=people.ssh_key)
        return f"SSH public key {people.ssh_key}"

    life(DeactivateCredentials(), people, calls, ALICE).whole(done, drift)


def test_record_identity(people: People, calls: Calls) -> None:
    for subject in (ALICE, DEPLOYER):
        one = life(RecordIdentity(), people, calls, subject)
        one.planned()
        one.noop_fails()
        one.run()
        one.holds_without_changes()
        one.reversible = False
        one.restores(people.state())


def test_drop_login_is_deleted_and_never_pretends_to_restore(people: People, calls: Calls) -> None:
    one = life(DropLogin(), people, calls, ALICE)
    one.planned()
    one.noop_fails()
    one.run()
    one.holds_without_changes()
    report = one.release()
    assert report is not None
    assert isinstance(report.result, Skipped)
    assert report.result.incomplete
    assert one.mutating() == []


def test_delete_key_refuses_by_itself_what_the_command_let_through(
    people: People, calls: Calls
) -> None:
    one = life(DeleteKey(), people, calls, ALICE, people.key)
    report = one.run()
    assert isinstance(report.result, Skipped | Failed), report
    assert people.key in people.statuses()
