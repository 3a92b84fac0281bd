"""The SSM documents of one region: what responders run on instances, pinned by their hash.

Each document carries its script (files of `components/scripts`) and takes parameters that only
match strict patterns: Systems Manager puts their text into the script, between single quotes, so a
pattern that admitted a quote would admit a command. Credentials are never parameters, because
command history keeps those; a script uses the instance's own role, or says that it can't.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pulumi
import pulumi_aws as aws

import contract

SCRIPTS = Path(__file__).parent / "scripts"
SIZE_LIMIT = 65_536
"""Bytes of one document, the parameters given at run time included (CreateDocument)."""
SIZE_RESERVE = 8_192
"""Bytes kept free for those parameters."""


@dataclass(frozen=True)
class Parameter:
    """A document's parameter. `pattern` matches the whole text; no default: it must be given."""

    name: str
    pattern: str
    description: str
    default: str | None = None

    @property
    def variable(self) -> str:
        """The environment variable of the script: `VolumeId` is `CORDON_VOLUME_ID`."""
        return "CORDON_" + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name).upper()

    def declaration(self) -> dict[str, str]:
        """What the document says of it."""
        text = {
            "type": "String",
            "description": self.description,
            "allowedPattern": f"^(?:{self.pattern})$",
        }
        return text if self.default is None else {**text, "default": self.default}


@dataclass(frozen=True)
class Recipe:
    """What one document is made of: files of `scripts`, in order, and parameters."""

    description: str
    parameters: tuple[Parameter, ...]
    linux: tuple[str, ...]
    windows: tuple[str, ...] = ()
    timeout: int = 3600
    """Seconds a script may run, when the caller does not say."""


_TOOL = r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,127}=[0-9a-f]{64}"
_ADDRESS = r"[0-9A-Fa-f.:]{2,39}(?:/[0-9]{1,3})?"
_ADDRESSES = rf"(?:{_ADDRESS}(?:,{_ADDRESS}){{0,31}})?"
_KEY = contract.evidence_key(
    contract.CASE_PATTERN, r"[A-Za-z0-9._-]{1,64}", r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}"
)

BUCKET = Parameter("Bucket", r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "The vault's bucket.")
REGION = Parameter("Region", r"[a-z]{2}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}", "The vault's region.")
KEY = Parameter("Key", _KEY, "The object to write, cases/<case>/<run>/evidence/<name>.")

RECIPES: Mapping[contract.Document, Recipe] = {
    contract.Document.MEMORY: Recipe(
        "Captures an instance's memory to the evidence vault and checks the capture.",
        (
            BUCKET,
            REGION,
            KEY,
            Parameter(
                "Tools",
                rf"{_TOOL}(?:,{_TOOL}){{0,31}}",
                "Capture tools staged in the vault, name=sha256 with commas between.",
            ),
        ),
        linux=("common.sh", "memory.sh"),
        windows=("memory.ps1",),
        timeout=14_400,
    ),
    contract.Document.HOST_FIREWALL: Recipe(
        "Isolates an instance from the inside, or undoes that.",
        (
            Parameter("Mode", "apply|undo", "What to do."),
            Parameter("Channel", "yes|no", "Whether Systems Manager stays reachable.", "yes"),
            Parameter("Endpoints", _ADDRESSES, "Addresses of its endpoints, for port 443.", ""),
            Parameter("Resolvers", _ADDRESSES, "Addresses of the DNS resolvers.", ""),
            Parameter("Probe", r"(?:[a-z0-9][a-z0-9.-]{0,252})?", "Host name to try after.", ""),
        ),
        linux=("common.sh", "nftables.sh", "iptables.sh", "host-firewall.sh"),
        timeout=300,
    ),
    contract.Document.VOLATILE: Recipe(
        "Collects what a reboot would lose: processes, sockets, users, modules, mounts.",
        (
            BUCKET,
            REGION,
            Parameter("Key", f"(?:{_KEY})?", f"{KEY.description} Empty: print a part of it.", ""),
        ),
        linux=("common.sh", "volatile.sh"),
        timeout=900,
    ),
    contract.Document.MOUNT: Recipe(
        "On a forensic workstation: mounts a volume read-only, or unmounts it.",
        (
            Parameter("Mode", "mount|umount", "What to do.", "mount"),
            Parameter("Volume", r"vol-[0-9a-f]{8,17}", "The volume."),
            Parameter(
                "Device",
                r"(?:/dev/(?:sd|xvd)[a-z]{1,2})?",
                "The name it was attached under, for disks that do not tell their volume.",
                "",
            ),
            Parameter("Hash", "yes|no", "Whether to hash the whole disk first.", "no"),
        ),
        linux=("common.sh", "mount.sh"),
        timeout=43_200,
    ),
}


@cache
def content(document: contract.Document) -> str:
    """The document's JSON, the same on every machine. ValueError when it is over the limit."""
    recipe = RECIPES[document]
    limit = Parameter(
        "TimeoutSeconds", "[1-9][0-9]{1,4}", "Seconds it may run.", str(recipe.timeout)
    )
    steps = [_step("Linux", "aws:runShellScript", shell_lines(document))]
    if recipe.windows:
        steps.append(_step("Windows", "aws:runPowerShellScript", powershell_lines(document)))
    text = json.dumps(
        {
            "schemaVersion": "2.2",
            "description": recipe.description,
            "parameters": {p.name: p.declaration() for p in (*recipe.parameters, limit)},
            "mainSteps": steps,
        },
        indent=1,
    )
    if len(text.encode()) > SIZE_LIMIT - SIZE_RESERVE:
        raise ValueError(f"{document} has {len(text.encode())} bytes: shorten its script")
    return text


def sha256(document: contract.Document) -> str:
    """The hash that `SendCommand(DocumentHash=…, DocumentHashType="Sha256")` compares, in hex."""
    return hashlib.sha256(content(document).encode()).hexdigest()


def shell_lines(document: contract.Document) -> list[str]:
    """The script for Linux: parameters into the environment, then the files.

    The agent runs the file as it is, so the first line chooses bash.
    """
    recipe = RECIPES[document]
    variables = [f"export {p.variable}='{{{{ {p.name} }}}}'" for p in recipe.parameters]
    lines = ["#!/bin/bash", f"export CORDON_DOCUMENT={document}", *variables]
    return lines + _files(recipe.linux)


def powershell_lines(document: contract.Document) -> list[str]:
    """The script for Windows: parameters into variables, then the files."""
    recipe = RECIPES[document]
    variables = [f"${p.name} = '{{{{ {p.name} }}}}'" for p in recipe.parameters]
    return [f"$Document = '{document}'", *variables, *_files(recipe.windows)]


def _files(names: tuple[str, ...]) -> list[str]:
    return [line for name in names for line in (SCRIPTS / name).read_text("utf-8").splitlines()]


def _step(platform: str, action: str, lines: list[str]) -> dict[str, object]:
    return {
        "action": action,
        "name": contract.STEPS[platform],
        "precondition": {"StringEquals": ["platformType", platform]},
        "inputs": {"timeoutSeconds": "{{ TimeoutSeconds }}", "runCommand": lines},
    }


@dataclass(frozen=True)
class DocumentsArgs:
    """Where, and the user's own tags."""

    region: str
    tags: Mapping[str, str]


class Documents(pulumi.ComponentResource):
    """Every document of `contract.Document` in one region.

    `pins`: name of a `contract.Document` to its name and SHA-256, as the manifest keeps them; it
    resolves once the documents are there.
    """

    pins: pulumi.Output[dict[str, dict[str, str]]]

    def __init__(
        self, name: str, args: DocumentsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cordon:components:Documents", name, {"region": args.region}, opts)
        tags = contract.kit_tags(contract.Purpose.DOCUMENT, args.tags)
        documents = {
            document.value: aws.ssm.Document(
                f"{name}-{document.value}",
                region=args.region,
                name=document.value,
                document_type="Command",
                document_format="JSON",
                target_type="/AWS::EC2::Instance",
                content=content(document),
                tags=tags,
                opts=pulumi.ResourceOptions(parent=self),
            ).name
            for document in contract.Document
        }
        self.pins = pulumi.Output.all(**documents).apply(_pins)
        self.register_outputs({"pins": self.pins})


def _pins(names: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {
        key: {"name": name, "sha256": sha256(contract.Document(key))} for key, name in names.items()
    }
