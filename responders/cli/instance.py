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
    str,
    typer.Argument(
        metavar="TARGET",
        help="Instance to isolate: its id, or one of its public or private IP addresses.",
    ),
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
            help="What happens to connections that are open now. direct: isolate at once; open "
            "connections live on while they are used, and end once they are idle. convert: open "
            "the instance to ALL traffic for the time of --dwell, then isolate; that cuts them."
        ),
    ] = Tracking.DIRECT,
    dwell: Annotated[
        float,
        typer.Option(
            min=0,
            max=600,
            metavar="SECONDS",
            help="With --tracking convert: seconds to keep the allow-all group on.",
        ),
    ] = 60.0,
    memory: Annotated[
        bool,
        typer.Option(
            "--memory",
            help="Capture memory through Systems Manager. Isolation cuts the connection to it, so "
            "see --evidence-first.",
            rich_help_panel=EVIDENCE,
        ),
    ] = False,
    evidence_first: Annotated[
        bool,
        typer.Option(
            "--evidence-first",
            help="Capture memory before isolating. Until then, or until --deadline, the instance "
            "stays reachable.",
            rich_help_panel=EVIDENCE,
        ),
    ] = False,
    deadline: Annotated[
        float,
        typer.Option(
            min=10,
            max=86_400,
            metavar="SECONDS",
            help="With --evidence-first: seconds after which the instance is isolated, whether or "
            "not its memory is captured.",
            rich_help_panel=EVIDENCE,
        ),
    ] = 300.0,
    host_firewall: Annotated[
        bool,
        typer.Option(
            "--host-firewall",
            help="Also set a firewall inside the host, through Systems Manager (Linux only).",
        ),
    ] = False,
    hibernate: Annotated[
        bool,
        typer.Option(
            "--hibernate",
            help="Hibernate the instance, which writes its memory to the root volume and so into "
            "the snapshot. Works only where hibernation was configured at launch.",
            rich_help_panel=EVIDENCE,
        ),
    ] = False,
    no_snapshot: Annotated[
        bool,
        typer.Option(
            "--no-snapshot", help="Take no snapshots of the volumes.", rich_help_panel=EVIDENCE
        ),
    ] = False,
    no_copy: Annotated[
        bool,
        typer.Option(
            "--no-copy",
            help="Do not copy the snapshots under the kit's key.",
            rich_help_panel=EVIDENCE,
        ),
    ] = False,
    lock_mode: Annotated[
        LockMode,
        typer.Option(
            help="How the snapshots are locked. governance: authorized people can unlock them. "
            "compliance: nobody can until the lock ends.",
            rich_help_panel=EVIDENCE,
        ),
    ] = LockMode.GOVERNANCE,
    lock_days: Annotated[
        int,
        typer.Option(
            min=1,
            max=36_500,
            metavar="DAYS",
            help="Days for which the snapshots are locked.",
            rich_help_panel=EVIDENCE,
        ),
    ] = 365,
    detach: Annotated[
        bool,
        typer.Option(
            "--detach/--standby",
            help="Detach the instance from its Auto Scaling group, or put it on standby, where "
            "an instance refresh may still terminate it.",
            rich_help_panel=FLEET,
        ),
    ] = True,
    no_replace: Annotated[
        bool,
        typer.Option(
            "--no-replace",
            help="Let the Auto Scaling group launch no replacement, even below its minimum size.",
            rich_help_panel=FLEET,
        ),
    ] = False,
    nacl: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CIDR",
            help="Deny this remote address or network in the network ACL of the subnet, which cuts "
            "its connections with every host there at once. May be repeated.",
        ),
    ] = None,
    isolated_profile: Annotated[
        IsolatedProfile,
        typer.Option(
            help="Instance profile to put in place of the instance's own. dark: no permissions. "
            "channel: Systems Manager only. none: no profile.",
            rich_help_panel=CREDENTIALS,
        ),
    ] = IsolatedProfile.DARK,
    role_wide: Annotated[
        bool,
        typer.Option(
            "--role-wide",
            help="Revoke the sessions of every holder of the instance's role. Other holders are "
            "named first.",
            rich_help_panel=CREDENTIALS,
        ),
    ] = False,
    keep_imds: Annotated[
        bool,
        typer.Option(
            "--keep-imds",
            help="Leave the instance metadata service on.",
            rich_help_panel=CREDENTIALS,
        ),
    ] = False,
    stop: Annotated[
        bool,
        typer.Option(
            "--stop",
            help="Stop the instance once its evidence is taken. Memory and instance-store volumes "
            "are lost.",
        ),
    ] = False,
    stop_protected: Annotated[
        bool,
        typer.Option(
            "--stop-protected",
            help="With --stop: stop it even if its stop protection was on before the response.",
        ),
    ] = False,
    *,
    common: shared.Common,
) -> int:
    """Isolate an instance, preserve its evidence, and verify the result."""
    from responders.cli import show
    from responders.cli.watching import watching
    from responders.playbooks.instance import InstanceOptions
    from responders.respond import Request, respond

    if stop_protected and not stop:
        raise BadInput("--stop-protected belongs to a stop", "Add --stop.")
    still_open = 0 if dry_run else shared.close_openings(common, shared.check_case(case))
    with watching() as watch:
        request = Request(
            "instance",
            target,
            shared.check_case(case),
            common.responder,
            common.at(region),
            InstanceOptions(
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
    return max(still_open, show.report(report, as_json=common.as_json))


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
