"""Options that several commands share, and what they become."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from contract import is_case_id
from responders.aws import Access
from responders.errors import BadInput

if TYPE_CHECKING:
    from responders.runner import StepReport

ACCESS = "How to reach AWS"
OUTPUT = "Output"

CaseId = Annotated[
    str, typer.Option("--case", metavar="ID", help="Reference id of the case, such as IR-7.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be done, and change nothing.")
]
Region = Annotated[
    str | None,
    typer.Option(
        "--region",
        metavar="REGION",
        help="Region of the target. Default: all enabled regions are searched.",
    ),
]
VaultRegion = Annotated[
    str | None,
    typer.Option(
        "--region",
        metavar="REGION",
        help="Region whose evidence vault is used. Default: the AWS region of your environment.",
    ),
]
Renew = Annotated[
    bool,
    typer.Option(
        "--renew",
        help="Also revoke the sessions that were issued since this case first revoked them.",
    ),
]
ForceOwnKey = Annotated[
    bool,
    typer.Option(
        "--force-own-key",
        help="Contain even if this cuts off the credentials that cordon itself is using.",
    ),
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Profile of the AWS configuration to use.",
        rich_help_panel=ACCESS,
    ),
]
RoleArn = Annotated[
    str | None,
    typer.Option(
        "--role-arn",
        metavar="ARN",
        help="ARN of the role to assume, such as the prepared responder role.",
        rich_help_panel=ACCESS,
    ),
]
ExternalId = Annotated[
    str | None,
    typer.Option(
        "--external-id",
        metavar="ID",
        envvar="CORDON_EXTERNAL_ID",
        help="With --role-arn: the external id that the role's trust policy asks for.",
        rich_help_panel=ACCESS,
    ),
]
MfaSerial = Annotated[
    str | None,
    typer.Option(
        "--mfa-serial",
        metavar="ARN",
        envvar="CORDON_MFA_SERIAL",
        help="With --role-arn: ARN of your MFA device, whose code you are asked for.",
        rich_help_panel=ACCESS,
    ),
]
Responder = Annotated[
    str | None,
    typer.Option(
        "--responder",
        metavar="NAME",
        envvar="CORDON_RESPONDER",
        help="Your name, for snapshot descriptions and the record. Default: your user name.",
        rich_help_panel=OUTPUT,
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json", help="Print one JSON document on stdout instead of text.", rich_help_panel=OUTPUT
    ),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "-v", "--verbose", help="Also print what each step observed.", rich_help_panel=OUTPUT
    ),
]


@dataclass(frozen=True)
class Common:
    """The options that every command has besides its own."""

    access: Access
    responder: str
    as_json: bool
    verbose: bool

    def at(self, region: str | None) -> Access:
        """The way to AWS, starting in a region."""
        return replace(self.access, region=region)

    @property
    def tell(self) -> Callable[[StepReport], None]:
        """Shows each step on stderr as it ends."""
        from responders.cli import show

        return show.step_verbosely if self.verbose else show.step


def close_openings(common: Common, case: str) -> int:
    """Isolates first what a run of the case left open when it died; 1 when something stays open."""
    from responders.cli import show
    from responders.close_openings import close_openings

    lines = close_openings(common.access, case, common.responder, common.tell)
    for line in lines:
        show.error(line, "Isolate it by hand now: docs/isolation.md says how.")
    return 1 if lines else 0


def common(
    profile: Profile = None,
    role_arn: RoleArn = None,
    external_id: ExternalId = None,
    mfa_serial: MfaSerial = None,
    responder: Responder = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> Common:
    """The shared options, checked; `boundary` adds these parameters to every command."""
    if role_arn is not None and ":role/" not in role_arn:
        raise BadInput(
            f"{role_arn!r} is not the ARN of a role",
            "Give one such as arn:aws:iam::111122223333:role/cordon/cordon-responder.",
        )
    if mfa_serial and not role_arn:
        raise BadInput("--mfa-serial belongs to a role to assume", "Add --role-arn.")
    access = Access(profile, None, role_arn, external_id, mfa_serial, _ask_code)
    return Common(access, responder or getpass.getuser(), as_json, verbose)


def _ask_code() -> str:
    return str(typer.prompt("MFA code", err=True))


def check_case(case: str) -> str:
    """The case id; BadInput when it is none."""
    if not is_case_id(case):
        raise BadInput(
            f"{case!r} is not a case id",
            "Use letters, digits, '.', '_' or '-', at most 64, beginning with a letter or digit.",
        )
    return case
