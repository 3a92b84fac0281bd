"""Builds declared resources for the policies' examples, in Pulumi's words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import contract
from policies.bridge.program import Resource, Source

REGION = "eu-west-1"
OWN = {"Owner": "alice", "Environment": "Security", "DataClassification": "Restricted"}


def made(
    kind: str, label: str, refers: dict[str, Resource] | None = None, /, **inputs: Any
) -> Resource:
    """A resource of a type such as `aws:kms/key:Key`; `refers`: inputs that are another's id."""
    for key, other in (refers or {}).items():
        inputs.setdefault(key, f"{other.name}-id")
    return Resource(
        urn=f"urn:pulumi:test::cordon::{kind}::{label}",
        type=kind,
        name=label,
        custom=True,
        parent="",
        inputs=inputs,
        property_dependencies={key: (one.urn,) for key, one in (refers or {}).items()},
        protect=False,
        source=Source("program.py", 1),
    )


def kit(purpose: contract.Purpose) -> dict[str, str]:
    """The tags of a prepared resource."""
    return contract.kit_tags(purpose, OWN)


def manifest(*cidrs: str, region: str = REGION, **pins: str) -> Resource:
    """The manifest of a region; `pins` maps a document, `-` written as `_`, to its SHA-256."""
    documents = {
        name.replace("_", "-"): contract.DocumentPin(name.replace("_", "-"), sha256)
        for name, sha256 in pins.items()
    }
    return made(
        "aws:ssm/parameter:Parameter",
        f"manifest-{region}",
        region=region,
        name=contract.MANIFEST_PARAMETER,
        type="String",
        insecureValue=contract.Manifest(responder_cidrs=cidrs, documents=documents).to_json(),
        tags=kit(contract.Purpose.MANIFEST),
    )


def policy(*statements: dict[str, Any]) -> str:
    """An IAM policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str = "*", **more: Any) -> dict[str, Any]:
    """A statement that allows something."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


TLS_ONLY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


@dataclass(frozen=True)
class Vault:
    """A vault with everything that it needs; `but` and `without` make examples of bad ones."""

    parts: dict[str, Resource]

    def but(self, part: str, **inputs: Any) -> list[Resource]:
        """All parts, some inputs of one changed; None takes an input away."""
        old = self.parts[part]
        kept = {k: v for k, v in {**old.inputs, **inputs}.items() if v is not None}
        new = Resource(**{**vars(old), "inputs": kept})
        return [*{**self.parts, part: new}.values()]

    def without(self, part: str) -> list[Resource]:
        """All parts but one."""
        return [one for name, one in self.parts.items() if name != part]

    def whole(self) -> list[Resource]:
        """All parts."""
        return [*self.parts.values()]


def vault() -> Vault:
    """A good vault."""
    key = made(
        "aws:kms/key:Key", "key", enableKeyRotation=True, tags=kit(contract.Purpose.EVIDENCE_KEY)
    )
    bucket = made(
        "aws:s3/bucket:Bucket",
        "vault",
        bucket="cordon-vault-example",
        objectLockEnabled=True,
        tags=kit(contract.Purpose.VAULT),
    )
    of = {"bucket": bucket}
    sse = {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "key-id"}
    encryption = made(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "encryption",
        {**of, "rules": key},
        rules=[{"applyServerSideEncryptionByDefault": sse, "bucketKeyEnabled": True}],
    )
    blocks = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    return Vault(
        {
            "key": key,
            "bucket": bucket,
            "encryption": encryption,
            "lock": made(
                "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
                "lock",
                of,
                rule={"defaultRetention": {"mode": "GOVERNANCE", "days": 365}},
            ),
            "versioning": made(
                "aws:s3/bucketVersioning:BucketVersioning",
                "versioning",
                of,
                versioningConfiguration={"status": "Enabled"},
            ),
            "block": made(
                "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
                "block",
                of,
                **dict.fromkeys(blocks, True),
            ),
            "policy": made(
                "aws:s3/bucketPolicy:BucketPolicy", "policy", of, policy=policy(TLS_ONLY)
            ),
        }
    )
