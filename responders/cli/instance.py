"""`cordon instance`: isolate an instance, preserve it, prove it."""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from typing import Annotated

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary
from responders.errors import BadInput

EVIDENCE = "Evidence"
FLEET = "Auto Scaling"
CREDENTIALS = "Its role and credentials"


class IsolatedProfile(StrEnum):
    """What the instance gets in place of its own profile."""

    DARK = "dark"
    CHANNEL = "channel"
    NONE = "none"


class LockMode(StrEnum):
    """How snapshots are locked."""

    GOVERNANCE = "governance"
    COMPLIANCE = "compliance"


class Tracking(StrEnum):
    """How to deal with connections that are open."""

    CONVERT = "convert"
    DIRECT = "direct"


Target = Annotated[
    str, typer.Argument(metavar="TARGET", help="Instance id, or a public or private IP address.")
]


@boundary
def instance(
    target: Target,
    case: shared.CaseId,
    region: shared.Region = None,
    dry_run: shared.DryRun = False,
    tracking: Annotated[
        Tracking,
        typer.Option(
            help="convert: cut open connections too; lets everything through for the dwell. "
            "direct: isolate at once; tracked connections live until idle."
        ),
    ] = Tracking.CONVERT,
    dwell: Annotated[
        float, typer.Option(min=0, max=600, metavar="S", help="Seconds of convert.")
    ] = 60.0,
    memory: Annotated[
        bool,
        typer.Option(
            "--memory",
            help="Capture memory through Systems Manager. Isolation cuts the way: see "
            "--evidence-first.",
            rich_help_panel=EVIDENCE,
        ),
    ] = False,
    evidence_first: Annotated[
        bool,
        typer.Option(
            "--evidence-first",
            help="Capture memory before isolating, but isolate at the deadline anyway.",
            rich_help_panel=EVIDENCE,
        ),
    ] = False,
    deadline: Annotated[
        float,
        typer.Option(
            min=10, max=86_400, metavar="S", help="Of --evidence-first.", rich_help_panel=EVIDENCE
        ),
    ] = 300.0,
    host_firewall: Annotated[
        bool,
        typer.Option(
            "--host-firewall",
            help="Isolate from the inside too, through Systems Manager (Linux).",
        ),
    ] = False,
    hibernate: Annotated[
        bool,
        typer.Option(
            "--hibernate",
            help="Stop it by hibernation, which keeps its memory on its root volume, and so in "
            "the snapshot. Only where that was configured at launch.",
            rich_help_panel=EVIDENCE,
        ),
    ] = False,
    no_snapshot: Annotated[
        bool,
        typer.Option(
            "--no-snapshot", help="Take no snapshots of its volumes.", rich_help_panel=EVIDENCE
        ),
    ] = False,
    no_copy: Annotated[
        bool,
        typer.Option(
            "--no-copy",
            help="Don't copy the snapshots under the kit's key.",
            rich_help_panel=EVIDENCE,
        ),
    ] = False,
    lock_mode: Annotated[
        LockMode,
        typer.Option(
            help="Of snapshots. compliance can't be undone by anybody until it ends.",
            rich_help_panel=EVIDENCE,
        ),
    ] = LockMode.GOVERNANCE,
    lock_days: Annotated[
        int, typer.Option(min=1, max=36_500, help="Of snapshots.", rich_help_panel=EVIDENCE)
    ] = 365,
    detach: Annotated[
        bool,
        typer.Option(
            "--detach",
            help="Take it out of its Auto Scaling group for good, not on standby.",
            rich_help_panel=FLEET,
        ),
    ] = False,
    no_replace: Annotated[
        bool,
        typer.Option(
            "--no-replace",
            help="Let the group launch no replacement, even below its minimum size.",
            rich_help_panel=FLEET,
        ),
    ] = False,
    nacl: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CIDR",
            help="Deny this remote address in the network ACL: cuts every connection with it, for "
            "the whole subnet. May be repeated.",
        ),
    ] = None,
    isolated_profile: Annotated[
        IsolatedProfile,
        typer.Option(
            help="In place of its own: dark may do nothing, channel talks to Systems Manager.",
            rich_help_panel=CREDENTIALS,
        ),
    ] = IsolatedProfile.DARK,
    role_wide: Annotated[
        bool,
        typer.Option(
            "--role-wide",
            help="Deny the sessions of all who have its role; says first who they are.",
            rich_help_panel=CREDENTIALS,
        ),
    ] = False,
    keep_imds: Annotated[
        bool,
        typer.Option(
            "--keep-imds", help="Leave its metadata service on.", rich_help_panel=CREDENTIALS
        ),
    ] = False,
    stop: Annotated[
        bool,
        typer.Option(
            "--stop",
            help="Stop it once its evidence is taken. Memory and instance-store volumes are lost.",
        ),
    ] = False,
    stop_protected: Annotated[
        bool,
        typer.Option(
            "--stop-protected", help="With --stop: even if its stop protection was on before."
        ),
    ] = False,
    *,
    common: shared.Common,
) -> int:
    """Isolate an instance, record it, and prove what was done."""
    from responders.action import Options
    from responders.cli import show
    from responders.cli.watching import watching
    from responders.respond import Request, respond

    if stop_protected and not stop:
        raise BadInput("--stop-protected belongs to a stop", "Add --stop.")
    with watching() as watch:
        request = Request(
            "instance",
            target,
            shared.check_case(case),
            common.responder,
            common.at(region),
            Options(
                tracking=tracking.value,
                dwell=dwell,
                memory=memory or evidence_first,
                evidence_first=evidence_first,
                deadline=deadline,
                host_firewall=host_firewall,
                hibernate=hibernate,
                snapshot=not no_snapshot,
                copy=not no_copy,
                lock_mode=lock_mode.value,
                lock_days=lock_days,
                detach=detach,
                replace=not no_replace,
                nacl=tuple(dict.fromkeys(map(remote, nacl or ()))),
                isolated_profile=isolated_profile.value,
                role_wide=role_wide,
                keep_imds=keep_imds,
                stop=stop,
                stop_protected=stop_protected,
            ),
            dry_run,
            watch,
        )
        report = respond(request, common.tell)
    return show.report(report, as_json=common.as_json)


def remote(text: str) -> str:
    """A remote address or network as the API stores it; BadInput when it is none, or is all."""
    try:
        network = ipaddress.ip_network(text, strict=True)
    except ValueError as error:
        raise BadInput(
            f"--nacl {text!r} is no address or network: {error}",
            "Give one such as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/48.",
        ) from error
    if network.prefixlen == 0:
        raise BadInput(
            f"--nacl {text} is every address: it would cut off the whole subnet",
            "Name the remote addresses; isolation closes the instance itself.",
        )
    return str(network)
