"""`python -m lab.record FILE`: runs the Pulumi program and writes down what it declares.

Each deployment of `DEPLOYMENTS` is one run, against an imagined account: no credentials, no
network. The file is what `python -m policies.gate` judges (format: `policies/bridge/program.py`).
Secrets are left out of it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi

from lab.plain import PlainMocks
from lab.program import Program, Registration, run_program
from policies.bridge.program import BLIND, RECORDING_SCHEMA

ROOT = Path(__file__).resolve().parent.parent

COMMON = {
    "aws:region": "eu-west-1",
    "breakGlass": ["arn:aws:iam::111122223333:user/carol"],
    "responderCidrs": ["192.0.2.0/24", "2001:db8::/48"],
    "tags": {
        "Owner": "security@example.com",
        "Environment": "Security",
        "DataClassification": "Restricted",
    },
}
USERS = {
    "responders": ["arn:aws:iam::111122223333:user/alice"],
    "analysts": ["arn:aws:iam::111122223333:user/bob"],
}
ROLES = {
    "responders": ["arn:aws:iam::222233334444:role/SecurityOnCall"],
    "requireMfa": False,
    "externalId": "example-external-id",
}
DEPLOYMENTS: Mapping[str, Mapping[str, Any]] = {
    "account": {
        **COMMON,
        **USERS,
        "stacks": ["account"],
        "ebsDefaultEncryption": True,
        "watch": "topic",
    },
    "forensics": {**COMMON, **ROLES, "stacks": ["account", "forensics"], "tier": "hot"},
    "organization": {
        **COMMON,
        **USERS,
        "stacks": ["organization"],
        "organizationId": "o-exampleorg",
        "tagPolicyTargets": ["r-exam"],
        "guardrailTargets": ["r-exam"],
        "provisioners": ["arn:aws:iam::*:role/deploy/pulumi"],
        "guardedPeople": ["arn:aws:iam::*:user/alice"],
        "resourceControlTargets": ["r-exam"],
        "ec2BaselineTargets": ["r-exam"],
        "manageOrganization": True,
    },
}
"""By name: the settings of one deployment, chosen so that everything optional is declared."""
SECRETS = ("externalId",)
"""Settings whose values are secret; a document that holds one is recorded without that value."""


def record(root: Path = ROOT) -> dict[str, Any]:
    """A recording of every deployment of the program in `root`."""
    stacks = [
        {"stack": name, "resources": _resources(run(name, root), root, _secrets(name))}
        for name in DEPLOYMENTS
    ]
    return {"schema": RECORDING_SCHEMA, "stacks": stacks}


def run(name: str, root: Path = ROOT) -> Program:
    """One deployment of `DEPLOYMENTS`, run."""
    config = DEPLOYMENTS[name]
    return run_program(root / "__main__.py", config, mocks=PlainMocks(), stack=name)


def _secrets(name: str) -> list[str]:
    config = DEPLOYMENTS[name]
    return [config[key] for key in SECRETS if key in config]


def _resources(program: Program, root: Path, secrets: list[str]) -> list[dict[str, Any]]:
    return [_resource(registration, root, secrets) for registration in program.registrations]


def _resource(registration: Registration, root: Path, secrets: list[str]) -> dict[str, Any]:
    source = registration.source
    return {
        "urn": registration.urn,
        "type": registration.type,
        "name": registration.name,
        "custom": registration.custom,
        "parent": registration.parent,
        "inputs": {
            key: _blind(value, secrets) if key in registration.secret_inputs else plain(value)
            for key, value in registration.inputs.items()
        },
        "propertyDependencies": {
            key: list(urns) for key, urns in registration.property_dependencies.items()
        },
        "protect": registration.protect,
        "source": {"file": _relative(source.file, root), "line": source.line} if source else None,
    }


def _blind(value: Any, secrets: list[str]) -> str:
    """A secret's text without the secret settings in it, so that it can be judged; else nothing."""
    text = value if isinstance(value, str) else ""
    for secret in secrets:
        text = text.replace(secret, BLIND)
    return text if BLIND in text else BLIND


def _relative(file: Path, root: Path) -> str:
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)


def plain(value: Any) -> Any:
    """A wire value as JSON; an asset or archive becomes where it comes from."""
    match value:
        case dict():
            return {key: plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case pulumi.FileAsset() | pulumi.FileArchive():
            return str(value.path)
        case pulumi.StringAsset():
            return str(value.text)
        case _:
            return value


def main(arguments: list[str]) -> int:
    """Writes the recording to the file named, and says how much it holds."""
    if len(arguments) != 1:
        print("usage: python -m lab.record FILE", file=sys.stderr)
        return 2
    file = Path(arguments[0])
    recording = record()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(recording, indent=1) + "\n", encoding="utf-8")
    counts = (f"{s['stack']} {len(s['resources'])}" for s in recording["stacks"])
    print(f"{file}: {', '.join(counts)} registrations", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
