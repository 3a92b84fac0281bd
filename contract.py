"""What preparation and response must agree on: names, tags, paths, rules and formats.

Pulumi components write these, responders look for them, policies judge them. Each fact is stated
once, here. Standard library only: Checkov imports this file from an environment of its own.
"""

from __future__ import annotations

import hashlib
import importlib
import ipaddress
import json
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import IntEnum, StrEnum
from types import ModuleType
from typing import Any, TypeVar

T = TypeVar("T")

VERSION = "0.1.0"
PROJECT = "cordon"

# --- tags -------------------------------------------------------------------------------------

TAG_PREFIX = "cordon:"
TAG_KIT = "cordon:kit"
"""On everything prepared; the value is the kit's version."""
TAG_PURPOSE = "cordon:purpose"
TAG_STACK = "cordon:stack"
"""On everything prepared; the value is `<project>/<stack>` of the Pulumi stack that prepared it."""
TAG_CASE = "cordon:case"
TAG_STATUS = "cordon:status"
TAG_SOURCE = "cordon:source"
"""On evidence: the volume, device and instance it came from, `<instance>/<device>/<volume>`."""
TAG_COPY = "cordon:copy-of"
"""On a copy of a snapshot: the id of the snapshot that it copies."""
TAG_IGNORE = "cordon:ignore"
"""On a VPC: preparation leaves it alone and `cordon ready` says so. Any value but `false`."""
TAG_DRILL = "cordon:drill"
"""On an instance, with the value `true`: `cordon drill` may contain it for real, and release it."""
TAG_ENVIRONMENT = "Environment"


TAG_VAULT = "cordon:vault"
"""On the analyst role: the vault that the account made."""
TAG_REGIONS = "cordon:regions"
"""Begins the tags of the responder role that list the prepared regions."""


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


def is_snapshot_description(text: str, case: str) -> bool:
    """Whether `snapshot_description` could have written this for the case."""
    pattern = rf"IR-[A-Za-z0-9._@-]{{0,64}}-\d{{4}}-\d\d-\d\d-{re.escape(case)}"
    return re.fullmatch(pattern, text) is not None


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


VAULT_SUFFIX = "[a-z0-9-]{0,12}[a-z0-9]"
"""What a stack's settings may add to the conventional name."""


def is_own_vault(bucket: str, account: str, region: str) -> bool:
    """Whether this is the conventional name of a vault of the account, in the region."""
    return (
        re.fullmatch(f"{re.escape(vault_bucket(account, region))}({VAULT_SUFFIX})?", bucket)
        is not None
    )


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


WIDEST_RESPONDERS = {4: 16, 6: 48}
"""IP version to the shortest prefix that a responder network may have: what is wider names no
office or VPN, and would leave an isolated host open to strangers."""


def is_wide(cidr: str) -> bool:
    """Whether a network is wider than responders' own networks are."""
    network = ipaddress.ip_network(cidr, strict=True)
    return network.prefixlen < WIDEST_RESPONDERS[network.version]


def permission_rules(permissions: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """EC2's `IpPermissions` as sorted rules: every peer counts, IPv4, IPv6, prefix list or group.

    A peer of a kind that this function does not know becomes the peer `unknown`, so that it can
    never compare equal to a prepared rule.
    """
    rules: list[Rule] = []
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
        rules += [Rule(protocol, *ports, peer) for peer in peers or ["unknown"]]
    return tuple(sorted(rules))


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
LOG_GROUP_PATH = "/cordon/"
"""The names of the kit's log groups begin so."""
RESPONDER_ROLE = "cordon-responder"
ANALYST_ROLE = "cordon-analyst"
BREAK_GLASS_ROLE = "cordon-break-glass"
WORKSTATION = "cordon-workstation"
"""The workstation's security group; the name of its machine begins so."""
WORKSTATION_PROFILE = WORKSTATION
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
MOUNT_ROOT = "/mnt/cordon"
"""On the workstation: what is on a volume is mounted below `<MOUNT_ROOT>/<volume id>/`."""
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
        """Reads `to_json`'s output; ValueError when it is anything else.

        Whoever may write the parameter chooses the text, so every field's type is checked here.
        """
        return cls.from_fields(_json_object(text, "a manifest", MANIFEST_SCHEMA))

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Manifest:
        """A manifest from its parsed JSON; ValueError for an unknown field or a wrong type."""
        values = dict(fields)
        if unknown := sorted(set(values) - set(cls.__dataclass_fields__)):
            raise ValueError(f"not a manifest of schema {MANIFEST_SCHEMA}: has {unknown[0]!r}")
        pins = _table(values, "documents")
        values["documents"] = {
            name: DocumentPin(str(pin.get("name", "")), str(pin.get("sha256", "")))
            for name, pin in pins.items()
            if isinstance(pin, Mapping)
        }
        cidrs = values.get("responder_cidrs", ())
        if not isinstance(cidrs, list | tuple) or not all(isinstance(c, str) for c in cidrs):
            raise ValueError("responder_cidrs is not a list of networks")
        values["responder_cidrs"] = tuple(cidrs)
        for name in ("subnets", "isolated_profiles"):
            values[name] = {k: str(v) for k, v in _table(values, name).items()}
        checked = {"documents", "responder_cidrs", "subnets", "isolated_profiles", "schema"}
        for name in set(values) - checked:
            if not isinstance(values[name], str):
                raise ValueError(f"{name} is not text")
        return cls(**values)


def _json_object(text: str, kind: str, schema: int) -> dict[str, Any]:
    """One JSON object of a schema; ValueError for anything else, however deeply it is nested."""
    try:
        parsed = json.loads(text)
    except RecursionError as error:
        raise ValueError(f"not {kind} of schema {schema}: nested too deeply") from error
    if not isinstance(parsed, dict) or parsed.get("schema") != schema:
        raise ValueError(f"not {kind} of schema {schema}")
    return parsed


def _table(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = fields.get(name, {})
    if not isinstance(table, dict):
        raise ValueError(f"{name} is not an object")
    return table


DOCUMENT_SHA256: Mapping[Document, str] = {
    Document.MEMORY: "9c8fc33257a75258c0480f90d31adf192c7fa58e879918f8a5f0fa193213ec51",
    Document.HOST_FIREWALL: "eb501dc3536eb663dff9e513b327240ef8211044d057617eb2423f83419db542",
    Document.VOLATILE: "af5445dd67d82fa3095f91611428518407b2a910ef3242f0a6d77390e90e13fb",
    Document.MOUNT: "690b214c87a0d3595ed99666404018a1e27b8d05d060d381b47281dcc55ef52c",
}
"""SHA-256 (hex) of each document's content in this version of the kit, so that a responder need not
read it from the account. A test computes them from the scripts."""


# --- the trust document -------------------------------------------------------------------------

TRUST_SCHEMA = 1
TRUST_EXPORT = "trustDocument"
"""The stack output that holds the trust document's text."""
TRUST_DIGEST_EXPORT = "trustDigest"
"""The stack output that holds the SHA-256 (hex) of that text."""


class Pinned(StrEnum):
    """What the policies that a trust document pins are of."""

    ROLE = "role"
    BUCKET = "bucket"
    KEY = "key"


def pin_name(kind: Pinned, name: str) -> str:
    """The key of `TrustDocument.policies`; a role or bucket by name, a key by its region."""
    return f"{kind} {name}"


@dataclass(frozen=True)
class TrustedRegion:
    """What `pulumi up` made in one region. `groups` maps a VPC's id to purpose and group id."""

    manifest: Manifest
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class TrustDocument:
    """What one account has prepared, told by who prepared it and kept where responders work.

    What an attacker with administrator rights writes into the account afterwards can be told from
    it. `people` maps a role's name to the ARNs that may assume it, `policies` a `pin_name` to the
    SHA-256 (hex) of what those policies mean (`policy_digest`). `retention_days` 0: the
    vault was made by another deployment. It holds names and ids only, no secret.
    """

    account: str
    partition: str
    vault_account: str
    retention_mode: str = ""
    retention_days: int = 0
    people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    policies: Mapping[str, str] = field(default_factory=dict)
    regions: Mapping[str, TrustedRegion] = field(default_factory=dict)
    schema: int = TRUST_SCHEMA

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, no spaces, ASCII. Equal documents have equal texts."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of `to_json`."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @classmethod
    def from_json(cls, text: str) -> TrustDocument:
        """Reads `to_json`'s output, in any spacing; ValueError when it is anything else."""
        values = _json_object(text, "a trust document", TRUST_SCHEMA)
        if unknown := sorted(set(values) - set(cls.__dataclass_fields__)):
            raise ValueError(f"not a trust document of schema {TRUST_SCHEMA}: has {unknown[0]!r}")
        for name, pattern in TRUST_PATTERNS.items():
            if not re.fullmatch(pattern, str(values.get(name, ""))):
                raise ValueError(f"{name} is not right: {values.get(name)!r}")
        days = values.get("retention_days", 0)
        if not isinstance(days, int) or isinstance(days, bool) or days < 0:
            raise ValueError(f"retention_days is not right: {days!r}")
        regions = _table(values, "regions")
        if not regions:
            raise ValueError("it names no region")
        values["regions"] = {region: _trusted(region, pinned) for region, pinned in regions.items()}
        values["policies"] = {k: str(v) for k, v in _table(values, "policies").items()}
        values["people"] = {
            role: tuple(str(principal) for principal in as_list(people))
            for role, people in _table(values, "people").items()
        }
        return cls(**values)


TRUST_PATTERNS = {
    "account": r"\d{12}",
    "partition": r"aws(-[a-z]+)*",
    "vault_account": r"\d{12}",
    "retention_mode": r"(governance|compliance)?",
}


def _trusted(region: str, pinned: object) -> TrustedRegion:
    if not isinstance(pinned, dict) or not isinstance(pinned.get("manifest"), dict):
        raise ValueError(f"{region} has no manifest")
    groups = {
        vpc: {str(purpose): str(group) for purpose, group in _table(pairs, vpc).items()}
        for pairs in (_table(pinned, "groups"),)
        for vpc in pairs
    }
    return TrustedRegion(Manifest.from_fields(pinned["manifest"]), groups)


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

# --- limits, and how policy documents are read ----------------------------------------------------

KEY_DELETION_DAYS_MIN = 14
"""The shortest waiting time before a key of the kit is deleted: time to notice, and to stop it."""
SCP_LIMIT = 5120
"""Characters of a service control policy (Organizations user guide, "Quotas")."""
RCP_LIMIT = 5120
"""Characters of a resource control policy (same page)."""
TAG_POLICY_LIMIT = 10000
DECLARATIVE_LIMIT = 10000
"""Characters of a declarative policy (same page)."""
POLICIES_PER_TARGET = 5
"""Service control policies that may be attached to one root, unit or account (same page)."""
READING_VERBS = ("BatchGet", "Describe", "Get", "Head", "List", "Lookup", "Search", "Simulate")
"""How the names of API operations and IAM actions begin that change nothing."""


def statements(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The statements of an IAM policy document; one alone may stand without a list."""
    declared = document.get("Statement", [])
    return [declared] if isinstance(declared, Mapping) else list(declared)


def as_list(value: Any) -> list[Any]:
    """What IAM lets one write as a value or as a list of values; None is none."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


# -- families of units: playbooks, checks, policies, mends --
# A family is a package, and each of its modules is one unit: the object that the module holds under
# the family's name for it (`PLAYBOOK`, `mend`, …). To add a unit is to add a file. Names are listed
# without importing anything, so that what is not needed is not loaded.


def unit_names(package: ModuleType) -> tuple[str, ...]:
    """The units of a family, in alphabetical order; none of them is imported."""
    modules = pkgutil.iter_modules(package.__path__)
    return tuple(sorted(m.name for m in modules if not m.name.startswith("_")))


def load_unit(package: ModuleType, name: str, constant: str, kind: type[T]) -> T:
    """One unit: what its module holds as `constant`.

    TypeError when that is missing or no `kind`: a unit that is not complete must not be passed by.
    """
    module = importlib.import_module(f"{package.__name__}.{name}")
    unit = getattr(module, constant, None)
    if not isinstance(unit, kind):
        raise TypeError(f"{module.__name__} holds no {kind.__name__} as {constant}")
    return unit


def load_units(package: ModuleType, constant: str, kind: type[T]) -> dict[str, T]:
    """Every unit of a family, by name. TypeError when there is none."""
    units = {name: load_unit(package, name, constant, kind) for name in unit_names(package)}
    if not units:
        raise TypeError(f"{package.__name__} holds no unit")
    return units


# --- what policies mean ---------------------------------------------------------------------------
# A service gives a policy back in another order, with one value for a list of one, or an account's
# id for the ARN of its root. So policies are compared by what they grant and deny, piece by piece.

PolicyDocument = str | Mapping[str, Any]
"""A policy document, as JSON text or parsed."""


def policy_pieces(documents: Iterable[PolicyDocument]) -> frozenset[str]:
    """Every effect x action x resource of the documents, each as canonical JSON.

    A piece holds the condition and the principals it is under. Documents that allow and deny the
    same have the same pieces, however their statements are split or ordered. ValueError for what is
    no policy document.
    """
    return frozenset(
        piece for document in documents for s in _statements(document) for piece in _pieces(s)
    )


def policy_digest(documents: Iterable[PolicyDocument]) -> str:
    """SHA-256 (hex) of what the documents mean together."""
    return hashlib.sha256("\n".join(sorted(policy_pieces(documents))).encode()).hexdigest()


def _statements(document: PolicyDocument) -> list[Mapping[str, Any]]:
    parsed = json.loads(document) if isinstance(document, str) else document
    if not isinstance(parsed, Mapping):
        raise ValueError("not a policy document")
    return statements(parsed)


def _pieces(statement: Mapping[str, Any]) -> Iterator[str]:
    common = {
        "effect": statement.get("Effect"),
        # The names of condition keys and of actions are not case-sensitive (IAM reference).
        "condition": {
            operator: {key.lower(): sorted(map(_text, as_list(v))) for key, v in keys.items()}
            for operator, keys in statement.get("Condition", {}).items()
        },
        **{k: _principals(statement[k]) for k in ("Principal", "NotPrincipal") if k in statement},
        # Whatever the element excludes counts as a whole: it can't be taken apart.
        **{
            k: sorted(str(v).lower() if k == "NotAction" else str(v) for v in as_list(statement[k]))
            for k in ("NotAction", "NotResource")
            if k in statement
        },
    }
    for action in as_list(statement.get("Action")) or [""]:
        for resource in as_list(statement.get("Resource")) or [""]:
            piece = {**common, "action": str(action).lower(), "resource": str(resource)}
            yield json.dumps(piece, sort_keys=True)


def _principals(principal: Any) -> list[str]:
    if not isinstance(principal, Mapping):
        return [f"AWS {principal}"]
    return sorted(
        f"{kind} {_root(str(v))}" for kind, some in principal.items() for v in as_list(some)
    )


def _root(principal: str) -> str:
    """An account's id for the ARN of its root, which means the same (IAM reference, Principal)."""
    match = re.fullmatch(r"arn:[^:]+:iam::(\d{12}):root", principal)
    return match[1] if match else principal


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
