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

CaseId = Annotated[str, typer.Option("--case", metavar="ID", help="The case's reference id.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")]
Region = Annotated[
    str | None, typer.Option("--region", metavar="R", help="Default: search all enabled regions.")
]
VaultRegion = Annotated[
    str | None,
    typer.Option("--region", metavar="R", help="Where the vault is. Default: your AWS region."),
]
Renew = Annotated[
    bool,
    typer.Option("--renew", help="Revoke also the sessions issued since the case's first run."),
]
ForceOwnKey = Annotated[
    bool,
    typer.Option("--force-own-key", help="Go on even if it cuts off the credentials in use."),
]
Profile = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="AWS profile.", rich_help_panel=ACCESS),
]
RoleArn = Annotated[
    str | None,
    typer.Option("--role-arn", metavar="ARN", help="Role to assume.", rich_help_panel=ACCESS),
]
ExternalId = Annotated[
    str | None,
    typer.Option(
        "--external-id",
        metavar="ID",
        envvar="CORDON_EXTERNAL_ID",
        help="External id of the role's trust policy.",
        rich_help_panel=ACCESS,
    ),
]
MfaSerial = Annotated[
    str | None,
    typer.Option(
        "--mfa-serial",
        metavar="ARN",
        envvar="CORDON_MFA_SERIAL",
        help="MFA device; its code is asked for.",
        rich_help_panel=ACCESS,
    ),
]
Responder = Annotated[
    str | None,
    typer.Option(
        "--responder",
        metavar="NAME",
        envvar="CORDON_RESPONDER",
        help="Who responds, for descriptions and the record. Default: your user name.",
        rich_help_panel=OUTPUT,
    ),
]
Json = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON document on stdout.", rich_help_panel=OUTPUT),
]
Verbose = Annotated[
    bool,
    typer.Option("-v", "--verbose", help="Tell what each step saw.", rich_help_panel=OUTPUT),
]


@dataclass(frozen=True)
class Common:
    """What every command is given besides its own options."""

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
