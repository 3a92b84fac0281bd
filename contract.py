"""What preparation and response must agree on: names, tags, paths, rules and formats.

Pulumi components write these, responders look for them, policies judge them. Each fact is stated
once, here. Standard library only: Checkov imports this file from an environment of its own.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import IntEnum, StrEnum
from typing import Any

VERSION = "0.1.0"
PROJECT = "cordon"

# --- tags -------------------------------------------------------------------------------------

TAG_PREFIX = "cordon:"
TAG_KIT = "cordon:kit"
"""On everything prepared; the value is the kit's version."""
TAG_PURPOSE = "cordon:purpose"
TAG_CASE = "cordon:case"
TAG_STATUS = "cordon:status"
TAG_SOURCE = "cordon:source"
"""On evidence: the volume, device and instance it came from, `<instance>/<device>/<volume>`."""
TAG_IGNORE = "cordon:ignore"
"""On a VPC: preparation leaves it alone and `cordon ready` says so. Any value but `false`."""
TAG_ENVIRONMENT = "Environment"


class Purpose(StrEnum):
    """Values of the tag `cordon:purpose`."""

    ISOLATE = "isolate"
    UNTRACK = "untrack"
    FORENSICS = "forensics"
    WORKSTATION = "workstation"
    ENDPOINT = "endpoint"
    VAULT = "vault"
    VAULT_LOGS = "vault-logs"
    EVIDENCE_KEY = "evidence-key"
    MANIFEST = "manifest"
    DOCUMENT = "document"
    ROLE = "role"
    GUARDRAIL = "guardrail"
    WATCH = "watch"


class Status(StrEnum):
    """Values of the tag `cordon:status`, on what an incident touches."""

    QUARANTINED = "quarantined"
    EVIDENCE = "evidence"
    RELEASED = "released"


def kit_tags(purpose: Purpose, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The tags of one prepared resource; `extra` (from the user's config) never overrides them."""
    return {**(extra or {}), TAG_KIT: VERSION, TAG_PURPOSE: purpose.value}


def quarantine_value(case: str) -> str:
    """Value of `Environment` on a quarantined instance: `Quarantine:<REFERENCE-ID>`."""
    return f"Quarantine:{case}"


# --- case ids, snapshots, vault keys ------------------------------------------------------------

CASE_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"


def is_case_id(text: str) -> bool:
    """Whether `text` is a REFERENCE-ID: 1 to 64 of letters, digits, `.`, `_`, `-`."""
    return re.fullmatch(CASE_PATTERN, text) is not None


def snapshot_description(responder: str, day: date, case: str) -> str:
    """`IR-<responder>-<YYYY-MM-DD>-<REFERENCE-ID>`; what EC2 would refuse becomes `_`."""
    return f"IR-{re.sub(r'[^A-Za-z0-9._@-]', '_', responder)[:64]}-{day.isoformat()}-{case}"


def journal_key(case: str, run: str, number: int) -> str:
    """Where the vault keeps journal entry `number` (from 1) of a run."""
    return f"cases/{case}/{run}/journal/{number}.json"


def evidence_key(case: str, run: str, name: str) -> str:
    """Where the vault keeps one piece of evidence."""
    return f"cases/{case}/{run}/evidence/{name}"


def tool_key(sha256: str, name: str) -> str:
    """Where the vault keeps a capture tool, named by the SHA-256 of its bytes (hex)."""
    return f"tools/{sha256}/{name}"


VAULT_PREFIX = "cordon-vault-"
"""Every evidence bucket's name begins so; the responder role's rights are scoped by it."""
VAULT_LOGS_PREFIX = "cordon-logs-"


def vault_bucket(account: str, region: str, suffix: str = "") -> str:
    """Name of the evidence bucket that preparation makes in an account."""
    return f"{VAULT_PREFIX}{account}-{region}{suffix}"


# --- security groups ----------------------------------------------------------------------------

EVERYWHERE_V4 = "0.0.0.0/0"
EVERYWHERE_V6 = "::/0"


@dataclass(frozen=True, order=True)
class Rule:
    """One security group rule, one peer. Protocol `-1` is all, with ports 0 to 0.

    `peer` is a CIDR, or `sg-…`, `pl-…`; ports are inclusive.
    """

    protocol: str
    from_port: int
    to_port: int
    peer: str


@dataclass(frozen=True)
class Rules:
    """All rules of a group, both ways, in sorted order so that equal sets compare equal."""

    ingress: tuple[Rule, ...] = ()
    egress: tuple[Rule, ...] = ()


GROUP_NAMES = {Purpose.ISOLATE: "cordon-isolate", Purpose.UNTRACK: "cordon-untrack"}
"""Names as prepared; the responder's own, made when nothing was prepared, end in `-on-demand`."""
GROUP_DESCRIPTIONS = {
    Purpose.ISOLATE: "Cordon: isolates an instance. No traffic but SSH from responders, if set.",
    Purpose.UNTRACK: "Cordon: allows everything for a moment, so tracked flows become untracked.",
}
EVERYTHING = (Rule("-1", 0, 0, EVERYWHERE_V4), Rule("-1", 0, 0, EVERYWHERE_V6))


def group_rules(purpose: Purpose, responder_cidrs: Iterable[str] = ()) -> Rules:
    """Exactly the rules that a prepared group of this purpose has, and no others.

    `isolate`: SSH in from each responder CIDR, nothing out. `untrack`: everything, both ways, IPv4
    and IPv6 (an untracked flow needs that; EC2 user guide, "Connection tracking").
    """
    match purpose:
        case Purpose.ISOLATE:
            ssh = sorted(Rule("tcp", 22, 22, canonical_cidr(c)) for c in set(responder_cidrs))
            return Rules(ingress=tuple(ssh))
        case Purpose.UNTRACK:
            return Rules(ingress=EVERYTHING, egress=EVERYTHING)
        case _:
            raise ValueError(f"{purpose} is not the purpose of a per-VPC group")


def canonical_cidr(text: str) -> str:
    """The CIDR in the form AWS stores (`10.0.0.0/8`, lower-case IPv6); ValueError if it is none."""
    return str(ipaddress.ip_network(text, strict=True))


def permission_rules(permissions: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """EC2's `IpPermissions` as sorted rules: every peer counts, IPv4, IPv6, prefix list or group.

    A peer of a kind that this function does not know becomes the peer `unknown`, so that it can
    never compare equal to a prepared rule.
    """
    found: list[Rule] = []
    for entry in permissions:
        protocol = str(entry["IpProtocol"])
        ports = (
            (0, 0)
            if protocol == "-1"
            else (int(entry.get("FromPort", -1)), int(entry.get("ToPort", -1)))
        )
        peers = (
            [r["CidrIp"] for r in entry.get("IpRanges", ())]
            + [r["CidrIpv6"].lower() for r in entry.get("Ipv6Ranges", ())]
            + [r["PrefixListId"] for r in entry.get("PrefixListIds", ())]
            + [r.get("GroupId", "unknown") for r in entry.get("UserIdGroupPairs", ())]
        )
        found += [Rule(protocol, *ports, peer) for peer in peers or ["unknown"]]
    return tuple(sorted(found))


def rule_permission(rule: Rule) -> dict[str, Any]:
    """One rule as EC2's `IpPermission`, the inverse of `permission_rules`."""
    if rule.peer.startswith("sg-"):
        peer: dict[str, Any] = {"UserIdGroupPairs": [{"GroupId": rule.peer}]}
    elif rule.peer.startswith("pl-"):
        peer = {"PrefixListIds": [{"PrefixListId": rule.peer}]}
    elif ":" in rule.peer:
        peer = {"Ipv6Ranges": [{"CidrIpv6": rule.peer}]}
    else:
        peer = {"IpRanges": [{"CidrIp": rule.peer}]}
    ports = {} if rule.protocol == "-1" else {"FromPort": rule.from_port, "ToPort": rule.to_port}
    return {"IpProtocol": rule.protocol, **ports, **peer}


# --- roles, documents, policies -------------------------------------------------------------------

IAM_PATH = "/cordon/"
RESPONDER_ROLE = "cordon-responder"
ANALYST_ROLE = "cordon-analyst"
BREAK_GLASS_ROLE = "cordon-break-glass"
WORKSTATION_PROFILE = "cordon-workstation"
"""Instance profile and role of the forensic workstation; both have this name."""
DARK_PROFILE = "cordon-isolated-dark"
"""Isolated-instance profile that may do nothing."""
CHANNEL_PROFILE = "cordon-isolated-channel"
"""Isolated-instance profile that may talk to Systems Manager and nothing else."""
KEY_ALIAS = "alias/cordon-evidence"


class Document(StrEnum):
    """SSM documents in every prepared region; the value is the document's name."""

    MEMORY = "cordon-memory"
    HOST_FIREWALL = "cordon-host-firewall"
    VOLATILE = "cordon-volatile"
    MOUNT = "cordon-mount"


STEPS = {"Linux": "linux", "Windows": "windows"}
"""SSM platform type to the document's step, which `GetCommandInvocation` wants as PluginName."""
WINPMEM_TOOL = "winpmem.exe"
AVML_TOOLS = {"x86_64": "avml-x86_64", "arm64": "avml-arm64"}
"""Capture tools by EC2's name of the architecture, as they are named under `tools/<sha256>/`."""


def lime_tool(kernel: str) -> str:
    """Name of the LiME module for one kernel release, as `uname -r` prints it."""
    return f"lime-{kernel}.ko"


class ScriptExit(IntEnum):
    """How a document's script ended; the exit code, and `code` in the JSON line it prints last."""

    DONE = 0
    REFUSED = 10
    """Bad parameters or an unsafe request; nothing was touched."""
    UNSUPPORTED = 20
    """This host lacks what is needed; nothing was touched."""
    LOCKDOWN = 21
    """The kernel's lockdown forbids reading memory."""
    NO_VAULT = 22
    """The vault can't be reached, or the instance's role may not use it."""
    TAMPERED = 23
    """A tool is not what its digest says; it was not run."""
    FAILED = 24
    """It was tried and did not work; the message says what is left."""


def deny_policy_name(case: str) -> str:
    """Name of the inline policy that denies an identity's sessions in a case."""
    return f"cordon-deny-{case}"


# --- the manifest -------------------------------------------------------------------------------

MANIFEST_PARAMETER = "/cordon/manifest"
MANIFEST_SCHEMA = 1
MANIFEST_LIMIT = 4096
"""Bytes; the limit of a standard SSM parameter."""


@dataclass(frozen=True)
class DocumentPin:
    """A prepared SSM document: its name and the SHA-256 (hex) that `SendCommand` must find."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What one region of one account has prepared. Empty strings: not prepared.

    `subnets` maps an availability zone to the forensic subnet in it. `documents` maps the name of
    a `Document` to its pin.
    """

    vault_bucket: str = ""
    vault_region: str = ""
    vault_key_arn: str = ""
    key_arn: str = ""
    forensic_account: str = ""
    forensic_vpc: str = ""
    subnets: Mapping[str, str] = field(default_factory=dict)
    workstation_group: str = ""
    endpoint_group: str = ""
    workstation_profile: str = ""
    isolated_profiles: Mapping[str, str] = field(default_factory=dict)
    """`dark` and `channel` to instance profile names."""
    documents: Mapping[str, DocumentPin] = field(default_factory=dict)
    responder_cidrs: tuple[str, ...] = ()
    kit: str = VERSION
    schema: int = MANIFEST_SCHEMA

    def to_json(self) -> str:
        """Compact JSON; ValueError when it is over the 4,096 bytes of an SSM parameter."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        if len(text.encode()) > MANIFEST_LIMIT:
            raise ValueError(
                f"the manifest has {len(text.encode())} bytes, over {MANIFEST_LIMIT}; "
                "prepare fewer zones or responder CIDRs"
            )
        return text

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Reads `to_json`'s output; ValueError when it is not JSON, or of another schema."""
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("schema") != MANIFEST_SCHEMA:
            raise ValueError(f"not a manifest of schema {MANIFEST_SCHEMA}")
        try:
            data["documents"] = {k: DocumentPin(**v) for k, v in data.get("documents", {}).items()}
            data["responder_cidrs"] = tuple(data.get("responder_cidrs", ()))
            return cls(**data)
        except (TypeError, AttributeError) as error:
            raise ValueError(f"not a manifest of schema {MANIFEST_SCHEMA}: {error}") from error


# --- tagging rules ------------------------------------------------------------------------------


@dataclass(frozen=True)
class TagRule:
    """One tag that resources must carry: allowed values (`*` once per value), enforced types."""

    key: str
    values: tuple[str, ...] = ()
    """Empty: any value."""
    enforced_for: tuple[str, ...] = ()
    """Resource types as tag policies name them, such as `ec2:instance`."""
    required: bool = True

    def allows(self, value: str) -> bool:
        """Whether the value is one of those allowed; `*` stands for any text, the empty too."""
        return not self.values or any(
            re.fullmatch(".*".join(re.escape(part) for part in allowed.split("*")), value)
            for allowed in self.values
        )


TAG_RULES = (
    TagRule("Owner"),
    TagRule(
        TAG_ENVIRONMENT,
        ("Production", "Staging", "Development", "Sandbox", "Security", "Quarantine:*"),
        ("ec2:instance", "ec2:volume", "ec2:snapshot"),
    ),
    TagRule(
        "DataClassification",
        ("Public", "Internal", "Confidential", "Restricted"),
        ("ec2:instance", "ec2:volume", "s3:bucket"),
    ),
)
"""The default rules; a stack's config may set others."""
