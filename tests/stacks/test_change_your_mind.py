"""Each case of docs/deploy.md, "Change your mind": what is declared before and after, what is
deleted, what is refused, and by which words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.core.models import DEFAULT_ACCOUNT_ID

from lab.engine.engine import Changes, Engine, Protected
from lab.mends import regions as region_list
from stacks.reading import BadConfig
from tests.conftest import AwsLab
from tests.preparation import PROGRAM, user

ALICE = user("alice", DEFAULT_ACCOUNT_ID)
OWN = f"cordon-vault-{DEFAULT_ACCOUNT_ID}-eu-west-1"
CENTRAL = {
    "vaultBucket": "cordon-vault-444455556666-eu-west-1",
    "vaultRegion": "eu-west-1",
    "vaultKeyArn": "arn:aws:kms:eu-west-1:444455556666:key/00000000-0000-0000-0000-000000000000",
    "forensicAccount": "444455556666",
}


class Stack:
    """A stack in the lab, prepared with its first settings, and what a change of them does."""

    def __init__(self, lab: AwsLab, prepared: tuple[str, ...], **config: object) -> None:
        region_list.enable(DEFAULT_ACCOUNT_ID, {*prepared, "us-east-1"})
        self.config = {"responders": [ALICE], "regions": list(prepared), **config}
        self.engine = Engine(lab.client, "eu-west-1")
        self.engine.up(PROGRAM, self.config)

    def preview(self, **changed: object) -> Changes:
        """The plan under other settings; nothing is changed."""
        self.engine.preview(PROGRAM, {**self.config, **changed})
        return self.engine.changes

    def up(self, **changed: object) -> Changes:
        """Deploys other settings, which stay."""
        self.config |= changed
        self.engine.up(PROGRAM, self.config)
        return self.engine.changes

    def refused(self, **changed: object) -> str:
        """The words with which other settings are refused; nothing is registered."""
        names = self.engine.names
        with pytest.raises(BadConfig) as error:
            self.preview(**changed)
        assert not self.engine.changes
        assert self.engine.names == names
        return str(error.value)


ONE = ("eu-west-1",)
TWO = ("eu-west-1", "us-east-1")


def analyst_reads(lab: AwsLab) -> str:
    """The text of what the analyst role may do."""
    policy = lab.client("iam").get_role_policy(
        RoleName="cordon-analyst", PolicyName="cordon-analyst"
    )
    return str(policy["PolicyDocument"])


def test_from_an_own_vault_to_a_central_one(aws_lab: AwsLab) -> None:
    stack = Stack(aws_lab, ONE)
    text = stack.refused(**CENTRAL)
    assert text.startswith("cordon:formerVault: this account has a vault of its own")
    assert f"set this to {OWN}" in text
    before = stack.engine.names
    change = stack.up(**CENTRAL, formerVault=OWN)
    assert (change.created, change.replaced, change.deleted, change.retained) == ([], [], [], [])
    assert stack.engine.names == before, "the vault and who reads it stay declared"
    assert f"arn:aws:s3:::{OWN}" in analyst_reads(aws_lab)
    parameter = aws_lab.client("ssm", "eu-west-1").get_parameter(Name="/cordon/manifest")
    assert CENTRAL["vaultBucket"] in parameter["Parameter"]["Value"]
    assert not stack.preview()


def test_a_former_vault_must_be_one_of_this_account(aws_lab: AwsLab) -> None:
    stack = Stack(aws_lab, ONE, **CENTRAL)
    for other in (CENTRAL["vaultBucket"], f"cordon-vault-{DEFAULT_ACCOUNT_ID}-mars-north-1"):
        text = stack.refused(formerVault=other)
        assert text.startswith(f"cordon:formerVault: {other} is not a vault of ")
    assert "only goes with vaultBucket" in stack.refused(
        formerVault=OWN, **dict.fromkeys(CENTRAL, "")
    )


@pytest.mark.parametrize(
    ("changed", "setting", "other"),
    [
        ({"vaultSuffix": "-2"}, "cordon:vaultSuffix", f"{OWN}-2"),
        ({"vaultRegion": "us-east-1"}, "cordon:vaultRegion", OWN.replace("eu-west", "us-east")),
        ({"aws:region": "us-east-1"}, "aws:region", OWN.replace("eu-west", "us-east")),
    ],
)
def test_a_vault_that_would_move_is_refused(
    aws_lab: AwsLab, changed: Mapping[str, Any], setting: str, other: str
) -> None:
    stack = Stack(aws_lab, TWO)
    text = stack.refused(**changed)
    assert text.startswith(f"{setting}: this account's vault is {OWN}, and evidence can't be moved")
    assert f"these settings name it {other}" in text
    assert "make 'eu-west-1'" in text


def test_the_provider_s_region_can_change_when_the_vault_s_is_named(aws_lab: AwsLab) -> None:
    stack = Stack(aws_lab, TWO)
    assert not stack.preview(**{"aws:region": "us-east-1", "vaultRegion": "eu-west-1"})


def test_a_region_that_is_taken_out_is_deleted_but_for_what_evidence_needs(
    aws_lab: AwsLab,
) -> None:
    stack = Stack(aws_lab, TWO, stacks=["account", "forensics"], ebsDefaultEncryption=True)
    change = stack.up(regions=["eu-west-1"])
    assert (change.created, change.replaced) == ([], [])
    assert sorted(change.retained) == [
        "ebs-us-east-1-default",
        "ebs-us-east-1-key",
        "forensics-us-east-1-flow-logs",
        "key-us-east-1-key",
    ]
    assert change.deleted
    assert all("us-east-1" in name for name in change.deleted)
    kms = aws_lab.client("kms", "us-east-1")
    key = kms.list_keys()["Keys"][0]["KeyId"]
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
    assert not stack.preview()


def test_the_vault_s_region_cannot_be_taken_out(aws_lab: AwsLab) -> None:
    stack = Stack(aws_lab, TWO)
    change = stack.preview(regions=["us-east-1"])
    assert "key-eu-west-1-key" not in [*change.deleted, *change.retained]
    assert not any(name.startswith("vault") for name in change.deleted)
    with pytest.raises(Protected):
        stack.engine.destroy()


def test_a_region_that_was_disabled_is_told_and_its_way_out_works(aws_lab: AwsLab) -> None:
    stack = Stack(aws_lab, (*TWO, "ap-south-1"), regions=[])
    assert "key-ap-south-1-key" in stack.engine.names
    region_list.enable(DEFAULT_ACCOUNT_ID, TWO)
    text = stack.refused()
    assert text.startswith("cordon:exclude: ap-south-1 was prepared and is not enabled any more")
    # The way out that the text names: enable, exclude, up, disable.
    region_list.enable(DEFAULT_ACCOUNT_ID, (*TWO, "ap-south-1"))
    stack.up(exclude=["ap-south-1"])
    assert not any("ap-south-1" in name for name in stack.engine.names)
    region_list.enable(DEFAULT_ACCOUNT_ID, TWO)
    assert not stack.preview()
    assert not stack.preview(exclude=[]), "what was deleted is not missed"


def test_responder_networks_change_in_place(aws_lab: AwsLab) -> None:
    stack = Stack(aws_lab, ONE)
    change = stack.up(responderCidrs=["203.0.113.0/24"])
    assert (change.created, change.replaced, change.deleted) == ([], [], [])


def test_retention_changes_in_place_but_not_by_the_deployer(aws_lab: AwsLab) -> None:
    stack = Stack(aws_lab, ONE)
    planned = stack.preview(retentionDays=400)
    assert planned.updated == ["vault-lock", "vault-policy"]
    assert (planned.created, planned.replaced, planned.deleted) == ([], [], [])
    with pytest.raises(ClientError, match="explicit deny"):
        stack.up(retentionDays=400)


def test_a_forensic_vpc_moves_with_its_addresses(aws_lab: AwsLab) -> None:
    stack = Stack(aws_lab, ONE, stacks=["account", "forensics"])
    change = stack.up(cidrSlots={"eu-west-1": 7})
    assert "forensics-eu-west-1-vpc" in change.replaced
    assert change.deleted == []
    assert all(name.startswith("forensics-eu-west-1-") for name in change.replaced)
    assert not stack.preview()
