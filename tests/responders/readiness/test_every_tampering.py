"""Whatever is changed of what `pulumi up` prepared is named, and the advice mends it.

Several things are changed at once in one account, and `ready` looks once at all of them. Where the
lab can, the advice is carried out: the AWS commands that it names, and `pulumi up --refresh`.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from contract import MANIFEST_PARAMETER, RESPONDER_ROLE, Manifest, TrustDocument
from lab.engine.engine import Engine
from responders.trust import pin
from tests.conftest import AwsLab
from tests.preparation import PROGRAM, user
from tests.responders.conftest import REGION, Cordon

ACCOUNT = "123456789012"
ADMINISTRATOR = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
)
SETTINGS = {
    "stacks": ["account", "forensics"],
    "regions": [REGION],
    "vaultRegion": REGION,
    "responders": [user("alice", ACCOUNT)],
    "breakGlass": [user("bob", ACCOUNT)],
}


@dataclass
class Prepared:
    lab: AwsLab
    engine: Engine
    manifest: Manifest
    groups: dict[str, dict[str, str]]

    def client(self, service: str) -> Any:
        return self.lab.client(service, REGION)

    @property
    def policies(self) -> list[str]:
        answer = self.client("iam").list_attached_role_policies(RoleName=RESPONDER_ROLE)
        return sorted(p["PolicyArn"] for p in answer["AttachedPolicies"])

    def trust(self, role: str, **changes: Any) -> None:
        iam = self.client("iam")
        document = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        document["Statement"][0].update(changes)
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(document))


@pytest.fixture
def prepared(aws_lab: AwsLab, monkeypatch: pytest.MonkeyPatch) -> Prepared:
    monkeypatch.setenv("AWS_REGION", REGION)
    engine = Engine(aws_lab.client, REGION)
    exports = engine.up(PROGRAM, SETTINGS).exports
    document = TrustDocument.from_json(exports["trustDocument"])
    pin.keep(document)
    trusted = document.regions[REGION]
    return Prepared(
        aws_lab, engine, trusted.manifest, {v: dict(g) for v, g in trusted.groups.items()}
    )


def second_version(p: Prepared) -> None:
    p.client("iam").create_policy_version(
        PolicyArn=p.policies[0], PolicyDocument=ADMINISTRATOR, SetAsDefault=True
    )


def attached(p: Prepared) -> None:
    arn = p.client("iam").create_policy(PolicyName="more", PolicyDocument=ADMINISTRATOR)
    p.client("iam").attach_role_policy(RoleName=RESPONDER_ROLE, PolicyArn=arn["Policy"]["Arn"])


def attached_by_a_name_of_the_kit(p: Prepared) -> None:
    arn = p.client("iam").create_policy(
        PolicyName=f"{RESPONDER_ROLE}-extra", Path="/cordon/", PolicyDocument=ADMINISTRATOR
    )
    p.client("iam").attach_role_policy(RoleName=RESPONDER_ROLE, PolicyArn=arn["Policy"]["Arn"])


def inline(role: str, name: str) -> Callable[[Prepared], None]:
    def tamper(p: Prepared) -> None:
        p.client("iam").put_role_policy(
            RoleName=role, PolicyName=name, PolicyDocument=ADMINISTRATOR
        )

    return tamper


def detached(p: Prepared) -> None:
    p.client("iam").detach_role_policy(RoleName=RESPONDER_ROLE, PolicyArn=p.policies[0])


def trusts(role: str, **changes: Any) -> Callable[[Prepared], None]:
    return lambda p: p.trust(role, **changes)


def retention(p: Prepared) -> None:
    p.client("s3").put_object_lock_configuration(
        Bucket=p.manifest.vault_bucket,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}},
        },
    )


def bucket_policy(p: Prepared) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{p.manifest.vault_bucket}/*",
    }
    p.client("s3").put_bucket_policy(
        Bucket=p.manifest.vault_bucket, Policy=json.dumps({"Statement": [statement]})
    )


def key_policy(p: Prepared) -> None:
    kms = p.client("kms")
    key = p.manifest.key_arn
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    policy["Statement"].append(
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    )
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))


def manifest(p: Prepared) -> None:
    fields = json.loads(p.manifest.to_json()) | {"responder_cidrs": ["0.0.0.0/0"]}
    p.client("ssm").put_parameter(
        Name=MANIFEST_PARAMETER, Type="String", Value=json.dumps(fields), Overwrite=True
    )


def opened(p: Prepared) -> None:
    [pair, *_] = p.groups.values()
    p.client("ec2").authorize_security_group_ingress(
        GroupId=pair["isolate"],
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 22,
                "ToPort": 22,
                "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
            }
        ],
    )


def way_out(p: Prepared) -> None:
    ec2 = p.client("ec2")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=p.manifest.forensic_vpc)


MFA = "aws:MultiFactorAuthPresent"
BOB = user("bob", ACCOUNT)
TAMPERING = tuple[Callable[[Prepared], None], str]
MENDED: dict[str, TAMPERING] = {
    "a name of the kit's": (
        attached_by_a_name_of_the_kit,
        f"cordon-responder has one policy too many: arn:aws:iam::{ACCOUNT}:policy/cordon/",
    ),
    "a key that is disabled": (
        lambda p: p.client("kms").disable_key(KeyId=p.manifest.key_arn),
        "is Disabled",
    ),
    "a policy attached": (attached, "a policy that is not the kit's: arn:aws:iam"),
    "an inline policy of others": (
        inline("cordon-break-glass", "mine"),
        "cordon-break-glass has an inline policy of others: mine",
    ),
    "another manifest": (manifest, "responder_cidrs"),
    "an open group": (opened, "rules that were not prepared"),
    "a gateway to the internet": (way_out, "an internet gateway is attached: igw-"),
}
NAMED: tuple[dict[str, TAMPERING], ...] = (
    {
        "a policy rewritten": (second_version, "not those that `pulumi up` generated | too much"),
        "an inline policy rewritten": (
            inline("cordon-analyst", "cordon-analyst"),
            "the policies of cordon-analyst are not those",
        ),
        "MFA only if it exists": (
            trusts(RESPONDER_ROLE, Condition={"BoolIfExists": {MFA: "false"}}),
            "cordon-responder can be assumed without MFA",
        ),
        "a foreign account": (
            trusts("cordon-analyst", Principal={"AWS": "arn:aws:iam::999988887777:root"}),
            "cordon-analyst trusts arn:aws:iam::999988887777:root",
        ),
        "everybody in a list": (
            trusts("cordon-break-glass", Principal={"AWS": ["*"]}),
            "cordon-break-glass trusts a wildcard",
        ),
        "another bucket policy": (bucket_policy, "the bucket policy of"),
        # The generated policy would deny it.
        "a shorter retention": (retention, "it keeps objects for 1 days, not 365"),
        "another key policy": (key_policy, "the policy of arn:aws:kms"),
    },
    {
        "a policy detached": (detached, "not those that `pulumi up` generated | lacking"),
        "not even an id": (
            trusts(RESPONDER_ROLE, Condition={"StringNotEquals": {"sts:ExternalId": "x"}}),
            "cordon-responder can be assumed without MFA",
        ),
        "breaking the glass without MFA": (
            trusts(
                "cordon-break-glass",
                Principal={"AWS": BOB},
                Condition={"StringEquals": {"sts:ExternalId": "x"}},
            ),
            "cordon-break-glass can be assumed without MFA",
        ),
        "no bucket policy": (
            lambda p: p.client("s3").delete_bucket_policy(Bucket=p.manifest.vault_bucket),
            "has no bucket policy",
        ),
        "a key that waits for deletion": (
            lambda p: p.client("kms").schedule_key_deletion(KeyId=p.manifest.key_arn),
            "is about to be deleted",
        ),
        "no manifest": (
            lambda p: p.client("ssm").delete_parameter(Name=MANIFEST_PARAMETER),
            "there is no /cordon/manifest",
        ),
        "no documents": (
            lambda p: p.client("ssm").delete_document(Name="cordon-memory"),
            "cordon-memory is not there",
        ),
        "an open vault": (
            lambda p: p.client("s3").delete_public_access_block(Bucket=p.manifest.vault_bucket),
            "is not closed to the public",
        ),
    },
)


def findings(cordon: Cordon) -> list[dict[str, str]]:
    checks = cordon("ready", "--regions", REGION, "--json").document["checks"]
    return [c for c in checks if c["status"] in ("fail", "unknown")]


def follow(prepared: Prepared, fixes: set[str]) -> None:
    """Carries out each AWS command that the advice names, then `pulumi up --refresh`."""
    for command in {c for fix in fixes for c in re.findall(r"`aws ([^`]+)`", fix)}:
        service, operation, *words = shlex.split(command)
        names = [word.removeprefix("--") for word in words[::2]]
        arguments = dict(zip(names, words[1::2], strict=True))
        arguments.pop("region", None)
        client = prepared.client(service)
        method = operation.replace("-", "_")
        shape = client.meta.service_model.operation_model(
            client.meta.method_to_api_mapping[method]
        ).input_shape.members
        by_option = {re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower(): name for name in shape}
        getattr(client, method)(**{by_option[n]: value for n, value in arguments.items()})
    prepared.engine.refresh()
    prepared.engine.up(PROGRAM, SETTINGS)


def tampered(
    prepared: Prepared, cordon: Cordon, tamperings: dict[str, TAMPERING]
) -> list[dict[str, str]]:
    """What `ready` finds after them; each is named, and each finding advises a command."""
    for tamper, _ in tamperings.values():
        tamper(prepared)
    wrong = findings(cordon)
    for name, (_, words) in tamperings.items():
        assert any(words in f["detail"] for f in wrong), (name, [f["detail"] for f in wrong])
    assert all("`" in f["fix"] for f in wrong), wrong
    return wrong


def test_each_is_named_and_mended_by_the_advice(prepared: Prepared, cordon: Cordon) -> None:
    assert findings(cordon) == []
    wrong = tampered(prepared, cordon, MENDED)
    follow(prepared, {f["fix"] for f in wrong})
    assert findings(cordon) == []
    # The lab's engine reads no policy back, so that its refresh mends none of these.
    for tamperings in NAMED:
        tampered(prepared, cordon, tamperings)
