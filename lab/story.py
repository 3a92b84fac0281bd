"""`cordon lab run`: an incident from preparation to release, each chapter read back from the API.

Everything that it claims is a `Claim`: a sentence, and whether the API says so. One that does not
hold makes the command fail.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract import (
    MANIFEST_PARAMETER,
    RESPONDER_ROLE,
    TAG_CASE,
    TAG_ENVIRONMENT,
    TAG_STATUS,
    TRUST_DIGEST_EXPORT,
    TRUST_EXPORT,
    Manifest,
    Purpose,
    Status,
    group_rules,
    quarantine_value,
)
from lab import staging
from lab.account import Account, Prepared
from lab.look import View, look, prepared_group, rules

CASE = "IR-7"
WORKLOAD_REGION = "eu-west-1"
SECOND_REGION = "ap-southeast-2"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Claim:
    """A sentence about the account, and whether the API says so."""

    text: str
    holds: bool


@dataclass(frozen=True)
class Chapter:
    """A part of the story: what happened, and what the API then says."""

    title: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class Staged:
    """The incident: the workload that is compromised, and another one far away."""

    workload: staging.Workload
    bystander: staging.Workload

    @classmethod
    def places(cls, account: Account) -> tuple[staging.Network, staging.Network]:
        """The two networks, which exist before anything is prepared."""
        with account.directly() as clients:
            return (
                staging.network(clients, WORKLOAD_REGION),
                staging.network(clients, SECOND_REGION, "10.30.0.0/16"),
            )

    @classmethod
    def on(cls, account: Account, places: tuple[staging.Network, staging.Network]) -> Staged:
        """Both workloads."""
        small = staging.Options(
            name="batch",
            second_interface=False,
            profile=False,
            elastic_ip=False,
            data_volumes=0,
            auto_scaling=False,
            target_group=False,
        )
        with account.directly() as clients:
            return cls(
                staging.workload(clients, places[0]), staging.workload(clients, places[1], small)
            )


def chapters(account: Account, tell: Tell) -> Iterator[Chapter]:
    """Tells the story; a chapter comes when its claims have been checked."""
    places = Staged.places(account)
    tell("Pulumi prepares every region of the account (the real program, against moto)")
    prepared = account.prepare()
    yield _prepared(account, prepared, places)
    tell("A workload is launched, and something else in a second region")
    staged = Staged.on(account, places)
    before = look(account.client, staged.workload)
    yield Chapter(f"Before: {staged.workload.instance}", tuple(_before(staged, before)))
    with tempfile.TemporaryDirectory(prefix="cordon-lab-") as home:
        command = Command(account, Path(home))
        yield _pinned(command, tell, prepared, Path(home))
        yield _contained(account, staged, command, tell, prepared)
        yield _released(account, staged, command, tell, before)


# --- prepared -------------------------------------------------------------------------------------


def _prepared(account: Account, prepared: Prepared, places: tuple[staging.Network, ...]) -> Chapter:
    title = (
        f"Prepared: {prepared.resources} resources in {len(prepared.regions)} regions, "
        f"{prepared.seconds:.0f} s"
    )
    vault = prepared.exports["vault"]["bucket"]
    return Chapter(
        title,
        (
            *(_groups(account, network) for network in places),
            _manifests(account, prepared),
            _vault(account, vault),
            _role(account, prepared),
        ),
    )


def _groups(account: Account, network: staging.Network) -> Claim:
    claims = [
        prepared_group(account.client, network.region, network.vpc, purpose)
        for purpose in (Purpose.ISOLATE, Purpose.UNTRACK)
    ]
    return Claim(
        f"{network.region}: {network.vpc} has its two groups, with exactly their rules", all(claims)
    )


def _manifests(account: Account, prepared: Prepared) -> Claim:
    faults = []
    for region in prepared.regions:
        ssm = account.client("ssm", region)
        text = ssm.get_parameter(Name=MANIFEST_PARAMETER)["Parameter"]["Value"]
        faults.append(Manifest.from_json(text))
    whole = all(m.vault_bucket and m.documents and m.isolated_profiles for m in faults)
    return Claim(
        f"{MANIFEST_PARAMETER} says what is prepared, in {len(faults)} regions",
        whole and bool(faults),
    )


def _vault(account: Account, bucket: str) -> Claim:
    s3 = account.client("s3")
    lock = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    versioned = s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"
    days = lock["Rule"]["DefaultRetention"]["Days"]
    return Claim(
        f"the vault {bucket} keeps every version, locked for {days} days", versioned and days > 0
    )


def _role(account: Account, prepared: Prepared) -> Claim:
    role = account.client("iam").get_role(RoleName=RESPONDER_ROLE)["Role"]
    return Claim(
        f"the responder's role is {role['Arn']}", role["Arn"] == prepared.exports["responderRole"]
    )


def _pinned(command: Command, tell: Tell, prepared: Prepared, home: Path) -> Chapter:
    """The export is kept where the responder works, and the account is as it says."""
    exported = home / "trust.json"
    exported.write_text(prepared.exports[TRUST_EXPORT])
    digest = prepared.exports[TRUST_DIGEST_EXPORT]
    imported = command.run("trust", "import", str(exported), "--digest", digest, tell=tell)
    checked = command.run("trust", "check", tell=tell)
    return Chapter(
        "Pinned",
        (
            Claim("the trust document is kept", imported.document.get("outcome") == "pinned"),
            Claim("the account is as pinned", checked.document.get("outcome") == "as-pinned"),
        ),
    )


# --- before, contained, released ------------------------------------------------------------------


def _before(staged: Staged, view: View) -> Iterator[Claim]:
    workload = staged.workload
    for interface, own, current in zip(
        workload.interfaces, workload.groups, view.groups, strict=True
    ):
        yield Claim(f"{interface} has its own group {', '.join(current)}", own == current)
    yield Claim(f"it answers at {view.public_ip}", view.public_ip == workload.public_ip != "")
    yield Claim(
        f"it serves in the Auto Scaling group {workload.auto_scaling_group}: {view.fleet}",
        view.fleet == "InService" and view.balanced,
    )
    yield Claim("it can be terminated by anybody who may", not view.protected)


def _contained(
    account: Account, staged: Staged, command: Command, tell: Tell, prepared: Prepared
) -> Chapter:
    workload = staged.workload
    bystander = look(account.client, staged.bystander)
    ran = command.run("instance", workload.instance, "--case", CASE, tell=tell)
    view = look(account.client, workload)
    isolate = prepared_group(
        account.client, workload.network.region, workload.network.vpc, Purpose.ISOLATE
    )
    verified = command.run("case", "verify", "--case", CASE, tell=tell)
    seconds = ran.document.get("contained_after_s") or 0
    return Chapter(
        f"Contained after {seconds:.1f} s",
        (
            Claim("cordon says: contained", ran.document.get("outcome") == "contained"),
            Claim("all evidence is in the vault", ran.code == 0),
            Claim(
                f"both interfaces have the prepared group {isolate} and no other",
                bool(isolate) and view.groups == ((isolate,),) * len(workload.interfaces),
            ),
            Claim(
                "which lets nothing in and nothing out, IPv4 or IPv6",
                rules(account.client, workload.network.region, isolate)
                == group_rules(Purpose.ISOLATE),
            ),
            Claim(
                f"it left the Auto Scaling group: {view.fleet or 'detached'}",
                view.fleet in ("", "Standby", "EnteringStandby"),
            ),
            Claim("it can't be terminated", view.protected),
            Claim(
                f"it is tagged {TAG_ENVIRONMENT}={quarantine_value(CASE)}",
                view.tags.get(TAG_ENVIRONMENT) == quarantine_value(CASE)
                and view.tags.get(TAG_CASE) == CASE
                and view.tags.get(TAG_STATUS) == Status.QUARANTINED,
            ),
            _in_the_vault(account, prepared.exports["vault"]["bucket"]),
            Claim("cordon case verify: the journal is whole", verified.code == 0),
            Claim(
                f"{staged.bystander.instance} in {staged.bystander.network.region} is untouched",
                bystander == look(account.client, staged.bystander),
            ),
        ),
    )


def _in_the_vault(account: Account, bucket: str) -> Claim:
    s3 = account.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"cases/{CASE}/")
    keys = [o["Key"] for page in pages for o in page.get("Contents", [])]
    heads = [s3.head_object(Bucket=bucket, Key=key) for key in keys]
    locked = [h for h in heads if h.get("ObjectLockMode")]
    return Claim(
        f"the vault has {len(keys)} objects of the case, all locked",
        bool(keys) and len(locked) == len(keys),
    )


def _released(
    account: Account, staged: Staged, command: Command, tell: Tell, before: View
) -> Chapter:
    ran = command.run("release", staged.workload.instance, "--case", CASE, tell=tell)
    verified = command.run("case", "verify", "--case", CASE, tell=tell)
    view = look(account.client, staged.workload)
    case_tags = (TAG_CASE, TAG_STATUS)
    return Chapter(
        "Released",
        (
            Claim("cordon says: released", ran.document.get("outcome") == "released"),
            Claim("all evidence is in the vault", ran.code == 0),
            Claim("each interface has its own groups again", view.groups == before.groups),
            Claim(
                f"it serves again: {view.fleet}",
                (view.fleet, view.balanced) == (before.fleet, before.balanced),
            ),
            Claim("its protection is as before", view.protected == before.protected),
            Claim(
                "its address, profile and state are as before",
                (view.public_ip, view.profile, view.state)
                == (before.public_ip, before.profile, before.state),
            ),
            Claim(
                f"its tags are as before, but for the case's: {TAG_STATUS}={Status.RELEASED.value}",
                {k: v for k, v in view.tags.items() if k not in case_tags} == dict(before.tags)
                and view.tags.get(TAG_STATUS) == Status.RELEASED,
            ),
            Claim("cordon case verify: the journal is whole", verified.code == 0),
        ),
    )


# --- the command ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ran:
    """A command that ended: its exit code, its JSON document, and its talk."""

    code: int
    document: Mapping[str, Any]
    talk: str


class Command:
    """The real command line, as a responder would use it, in a process of its own."""

    def __init__(self, account: Account, home: Path) -> None:
        self._env = {**_clean_environment(), **account.env, "CORDON_HOME": str(home)}

    def run(self, *arguments: str, tell: Tell) -> Ran:
        """Runs `cordon`; its talk goes to `tell` when it fails."""
        tell(f"$ cordon {' '.join(arguments)}")
        started = time.monotonic()
        ended = subprocess.run(  # noqa: S603 - our own command, our own arguments
            [*_cordon(), *arguments, "--json"],
            env=self._env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        tell(f"exit {ended.returncode}, {time.monotonic() - started:.1f} s")
        if ended.returncode:
            tell(ended.stderr.rstrip())
        return Ran(ended.returncode, _document(ended.stdout), ended.stderr)


def _cordon() -> list[str]:
    return [sys.executable, "-c", "from responders.cli import main; main()"]


def _clean_environment() -> dict[str, str]:
    """This process's environment without anything that would lead to a real account."""
    leave = ("AWS_", "CORDON_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(leave)}
    return {**environment, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def _document(text: str) -> Mapping[str, Any]:
    """The JSON document of an answer; empty when there is none, which no claim accepts."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}
