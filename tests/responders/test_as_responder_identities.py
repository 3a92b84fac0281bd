"""Identities, Support and drills under the prepared responder role, judged by its own policies."""

from __future__ import annotations

import json

import pytest

from lab.authorization import Authorization
from lab.trail.trail import Trail
from tests.responders.conftest import Cordon
from tests.responders.people import People, populate
from tests.responders.prepared_account import REGION, Prepared, enforced, prepared

__all__ = ["enforced", "prepared"]


@pytest.fixture
def people(prepared: Prepared) -> People:
    """Alice and the others, in the prepared account."""
    return populate(prepared.lab, vault=False)


def test_identities_are_contained_deleted_and_released(
    people: People, prepared: Prepared, cordon: Cordon, enforced: Authorization, trail: Trail
) -> None:
    before = people.state()
    case = ("--case", "IR-7", "--region", REGION, *prepared.options)
    arn = people.iam.get_role(RoleName="deployer")["Role"]["Arn"]
    minted = people.lab.client("sts", REGION).assume_role(RoleArn=arn, RoleSessionName="ci")
    session = minted["Credentials"]["AccessKeyId"]
    people.fill(1_850)
    for words in (
        ("key", people.key, "--no-hunt"),
        ("key", session, "--no-hunt"),
        ("role", "deployer", "--deny-all"),
        ("user", "alice", "--delete-login"),
    ):
        answer = cordon(*words, *case)
        assert (answer.code, enforced.refused) == (0, []), answer.out
    assert people.own_policies() != []
    release = ("--case", "IR-7", *prepared.options)
    for target, code in ((session, 0), ("role/deployer", 0), ("alice", 3), (people.key, 0)):
        released = cordon("release", target, *release)
        assert (released.code, enforced.refused) == (code, []), released.out
    people.iam.delete_user_policy(UserName="alice", PolicyName="filler")
    assert people.state() == before
    cordon("key", people.key, "--no-hunt", *case)
    deleted = cordon("key", people.key, "--delete", *case)
    assert (deleted.code, enforced.refused) == (0, []), deleted.out
    assert people.key not in people.statuses()


def test_support_is_asked(
    people: People, prepared: Prepared, cordon: Cordon, enforced: Authorization
) -> None:
    case = ("--case", "IR-7", "--region", REGION, *prepared.options)
    answer = cordon("support", "open", "--text", "A partner reported abuse.", *case)
    assert (answer.code, enforced.refused) == (0, []), answer.out
    assert cordon("support", "show", *case).code == 0
    assert enforced.refused == []


def test_the_kits_own_roles_can_not_be_written_to(
    people: People, prepared: Prepared, cordon: Cordon, enforced: Authorization
) -> None:
    case = ("--case", "IR-7", "--region", REGION, *prepared.options)
    answer = cordon("role", "cordon-workstation", *case)
    assert (answer.code, answer.document["outcome"]) == (1, "not-contained"), answer.out
    assert {told.split()[0] for told in enforced.refused} == {"iam:PutRolePolicy"}


def mark(prepared: Prepared) -> None:
    prepared.client("ec2").create_tags(
        Resources=[prepared.instance], Tags=[{"Key": "cordon:drill", "Value": "true"}]
    )


def test_a_drill_that_could_not_give_the_profile_back_is_refused(
    prepared: Prepared, cordon: Cordon, enforced: Authorization
) -> None:
    mark(prepared)
    words = ("--target", prepared.instance, "--dwell", "0", *prepared.options)
    answer = cordon("drill", "--case", "DRILL-1", *words)
    assert answer.code == 2, answer.out
    assert "instance profile" in answer.document["error"]
    associated = prepared.client("ec2").describe_iam_instance_profile_associations()
    [one] = associated["IamInstanceProfileAssociations"]
    assert one["IamInstanceProfile"]["Arn"].endswith("/web")


def test_a_drill_in_a_prepared_account(
    prepared: Prepared, cordon: Cordon, enforced: Authorization
) -> None:
    mark(prepared)
    ec2 = prepared.client("ec2")
    [one] = ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]
    ec2.disassociate_iam_instance_profile(AssociationId=one["AssociationId"])
    words = ("--target", prepared.instance, "--dwell", "0", *prepared.options)
    answer = cordon("drill", "--case", "DRILL-1", *words)
    assert enforced.refused == [], answer.out
    assert answer.document["failures"] == [], answer.out
    outcomes = {p["name"]: p["outcome"] for p in answer.document["phases"]}
    assert (outcomes["contain"], outcomes["release"]) == ("contained", "released")
    assert json.dumps(answer.document["findings"]).count("isolate group") == 0
