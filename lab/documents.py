"""Every policy document that Cordon writes: the program's, in every partition and variant of the
settings, and those that a response puts on users, roles and endpoints.

`python -m lab.documents FILE` writes them down for `python -m policies.judge`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.plain import PlainMocks
from lab.program import Registration, run_program
from lab.record import DEPLOYMENTS, ROOT
from policies.judge.document import Document, Kind
from responders.actions import open_endpoints
from responders.identity import deny_document

PARTITIONS: Mapping[str, tuple[str, str]] = {
    "aws": ("us-east-1", "eu-west-1"),
    "aws-cn": ("cn-north-1", "cn-northwest-1"),
    "aws-us-gov": ("us-gov-east-1", "us-gov-west-1"),
}
"""Two regions of each; what `DEPLOYMENTS` says of `aws` is said of the others with theirs."""
ACCOUNT = "111122223333"
ELSEWHERE = "999988887777"
VARIANTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "account": ("account", {}),
    "forensics": ("forensics", {}),
    "organization": ("organization", {}),
    "examined-elsewhere": (
        "account",
        {"forensicAccount": ELSEWHERE, "watch": "queue", "ebsDefaultEncryption": False},
    ),
    "central-vault": (
        "forensics",
        {
            "tier": "warm",
            "organizationId": "o-exampleorg1",
            "vaultWriters": ["organization"],
            "evidenceAccounts": ["organization"],
        },
    ),
    "writers": (
        "forensics",
        {
            "vaultWriters": [ELSEWHERE],
            "evidenceAccounts": [ELSEWHERE],
            "trailKeys": [f"arn:aws:kms:eu-west-1:{ELSEWHERE}:key/0abc"],
            "tier": "cold",
            "watch": "topic",
        },
    ),
    "vault-elsewhere": (
        "account",
        {
            "vaultBucket": f"cordon-vault-{ELSEWHERE}-eu-west-1",
            "vaultRegion": "eu-west-1",
            "vaultKeyArn": f"arn:aws:kms:eu-west-1:{ELSEWHERE}:key/0abc",
        },
    ),
    "alone": (
        "organization",
        {"provisioners": [], "guardedPeople": [], "resourceControlTargets": []},
    ),
}
"""By name: a deployment of `DEPLOYMENTS`, and the settings that differ from it."""
WIDEST = ("writers", "central-vault", "organization")
"""Those that declare most: in the other partitions, only the partition is another."""
FIELDS = ("policy", "assumeRolePolicy", "content")
"""Inputs of resources that hold a policy document."""
KINDS = {
    "aws:kms/key:Key": Kind.RESOURCE,
    "aws:s3/bucketPolicy:BucketPolicy": Kind.RESOURCE,
    "aws:sns/topicPolicy:TopicPolicy": Kind.RESOURCE,
    "aws:sqs/queuePolicy:QueuePolicy": Kind.RESOURCE,
    "aws:ec2/vpcEndpoint:VpcEndpoint": Kind.ENDPOINT,
    "aws:iam/rolePolicy:RolePolicy": Kind.IDENTITY,
    "aws:iam/policy:Policy": Kind.IDENTITY,
}
ORGANIZATION_KINDS = {
    "SERVICE_CONTROL_POLICY": Kind.SERVICE_CONTROL,
    "RESOURCE_CONTROL_POLICY": Kind.RESOURCE_CONTROL,
}


def documents() -> list[Document]:
    """Each different document once, named after the first deployment that has it."""
    different: dict[tuple[str, Kind, str], Document] = {}
    for document in (*of_the_program(), *of_responses()):
        key = (document.partition, document.kind, document.text)
        first = different.setdefault(key, document)
        different[key] = replace(first, holders=tuple({*first.holders, *document.holders}))
    return list(different.values())


def of_the_program() -> Iterator[Document]:
    """What `pulumi up` would declare."""
    for partition, regions in PARTITIONS.items():
        for variant in VARIANTS if partition == "aws" else WIDEST:
            deployment, changes = VARIANTS[variant]
            settings = _translated({**DEPLOYMENTS[deployment], **changes}, partition, regions)
            mocks = PlainMocks(regions=regions, partition=partition, home=regions[0])
            program = run_program(ROOT / "__main__.py", settings, mocks=mocks, stack=variant)
            for registration in program.registrations:
                yield from _declared(f"{partition}/{variant}", partition, registration)


def _translated(
    settings: Mapping[str, Any], partition: str, regions: tuple[str, str]
) -> dict[str, Any]:
    text = json.dumps(settings).replace("arn:aws:", f"arn:{partition}:")
    translated: dict[str, Any] = json.loads(text.replace("eu-west-1", regions[1]))
    return translated


def _declared(where: str, partition: str, declared: Registration) -> Iterator[Document]:
    for field in FIELDS:
        text = declared.inputs.get(field)
        if isinstance(text, str) and '"Statement"' in text:
            kind = _kind(declared, field)
            name = declared.name.partition("-policy")[0]
            holders = (f"{where}/{name}",) if kind is Kind.IDENTITY else ()
            yield Document(f"{where}/{declared.name}", kind, text, partition, holders)


def _kind(declared: Registration, field: str) -> Kind:
    if field == "assumeRolePolicy":
        return Kind.TRUST
    if declared.type == "aws:organizations/policy:Policy":
        return ORGANIZATION_KINDS[declared.inputs["type"]]
    if declared.name.endswith("-boundary"):
        return Kind.BOUNDARY
    return KINDS[declared.type]


def of_responses() -> Iterator[Document]:
    """What a response puts on users and roles, and on the endpoints of a workstation."""
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    instance = deny_document.instance_sessions("AROAEXAMPLE", "i-0abc")
    denials = {
        "deny-sessions": deny_document.sessions_before(moment),
        "deny-instance-sessions": deny_document.sessions_before(moment, instance),
        "deny-named-session": deny_document.everything(
            deny_document.named_session("AROAEXAMPLE", "alice")
        ),
        "deny-everything": deny_document.everything(),
    }
    for name, document in denials.items():
        yield Document(f"response/{name}", Kind.IDENTITY, deny_document.text(document))
    yield Document("response/endpoint", Kind.ENDPOINT, open_endpoints.endpoint_policy(ACCOUNT))


def main(arguments: list[str]) -> int:
    """Writes the documents to the file named, and says how many there are."""
    if len(arguments) != 1:
        print("usage: python -m lab.documents FILE", file=sys.stderr)
        return 2
    write(Path(arguments[0]), documents())
    return 0


def write(file: Path, written: Iterable[Document]) -> None:
    """As JSON, one object a document."""
    rows = [asdict(document) for document in written]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(f"{file}: {len(rows)} policy documents", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
