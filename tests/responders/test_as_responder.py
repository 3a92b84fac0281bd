"""The responders' commands under the prepared responder role, with authorization on.

The role is the one that the Pulumi program makes; each call is judged by its policies, with
conditions. What is refused fails the test by name.
"""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError

from contract import RESPONDER_ROLE, Manifest
from lab.authorization import Authorization
from tests.responders.conftest import Cordon
from tests.responders.prepared_account import REGION, Prepared, enforced, prepared

__all__ = ["enforced", "prepared"]


def test_an_instance_is_contained_and_released(
    prepared: Prepared, enforced: Authorization, cordon: Cordon
) -> None:
    case = ("--case", "IR-7", *prepared.options)
    answer = cordon("instance", prepared.instance, "--region", REGION, "--dwell", "0", *case)
    assert enforced.refused == [], answer.out
    assert answer.document["outcome"] == "contained", answer.out
    assert cordon("case", "verify", *case).code == 0
    # Giving the instance its own profile back takes PassRole on its role, which the responder
    # role must not have: all else is restored, and other credentials finish it.
    partly = cordon("release", prepared.instance, *case)
    assert enforced.refused == [f"iam:PassRole on {prepared.workload_role}"], partly.out
    failed = [s["name"] for s in partly.document["steps"] if s["status"] == "failed"]
    assert (partly.code, failed) == (1, ["swap-profile"])
    finished = cordon("release", prepared.instance, "--case", "IR-7", "--json")
    assert (finished.code, finished.document["outcome"]) == (0, "released"), finished.out


def test_a_key_is_disabled_and_hunted(
    prepared: Prepared, enforced: Authorization, cordon: Cordon
) -> None:
    answer = cordon("key", prepared.key, "--case", "IR-8", *prepared.options)
    assert enforced.refused == [], answer.out
    assert answer.document["outcome"] == "contained", answer.out
    (key,) = prepared.client("iam").list_access_keys(UserName="bob")["AccessKeyMetadata"]
    assert key["Status"] == "Inactive"
    released = cordon("release", prepared.key, "--case", "IR-8", *prepared.options)
    assert enforced.refused == [], released.out


def test_the_account_is_audited(
    prepared: Prepared, enforced: Authorization, cordon: Cordon
) -> None:
    answer = cordon("ready", "--regions", REGION, *prepared.options)
    assert enforced.refused == []
    assert not [c for c in answer.document["checks"] if c["status"] == "unknown"], answer.out


def test_what_the_role_lacks_is_refused(prepared: Prepared, enforced: Authorization) -> None:
    role = prepared.options[1]
    found = prepared.client("sts").assume_role(RoleArn=role, RoleSessionName="alice")["Credentials"]
    session = boto3.Session(
        found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], region_name=REGION
    )
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        session.client("ec2").terminate_instances(InstanceIds=[prepared.instance])
    with pytest.raises(ClientError, match="AccessDenied"):
        session.client("iam").delete_role(RoleName=RESPONDER_ROLE)
    assert len(enforced.refused) == 2


def test_the_manifest_is_what_the_responders_read(prepared: Prepared) -> None:
    text = prepared.client("ssm").get_parameter(Name="/cordon/manifest")["Parameter"]["Value"]
    assert Manifest.from_json(text).vault_bucket
