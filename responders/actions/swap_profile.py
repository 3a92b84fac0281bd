"""Takes the instance's role from it: its profile is swapped for an isolated one, or removed.

The isolated profile is `dark`, which may do nothing, or `channel`, which may talk to Systems
Manager and nothing else. Sessions that the instance has already live on: `revoke-sessions` ends
them, once no new ones can be had.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract import IAM_PATH, WORKSTATION_PROFILE
from responders.action import Action, Incident, Observation
from responders.aws import explain, is_denied
from responders.errors import Skip
from responders.json_values import Json
from responders.permissions import allow, ec2
from responders.scene import Scene
from responders.trust.isolated_profiles import ABSENT, PROFILES

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import IamInstanceProfileAssociationTypeDef

PROFILE = "profile"
REMOVE = "none"
"""Value of `--isolated-profile`: no profile in place of the instance's own."""


@dataclass(frozen=True)
class SwapProfile(Action[Scene]):
    """The isolated profile, or none, in place of the instance's own."""

    kind: str = "dark"
    """The isolated profile to give: `dark`, `channel`, or `none` to give none."""

    name = "swap-profile"
    permissions = (
        allow(
            "ec2:DescribeIamInstanceProfileAssociations",
            because="reads which profile the instance has",
        ),
        allow(
            "ec2:DisassociateIamInstanceProfile",
            on=ec2("instance"),
            because="takes the instance's profile from it",
            risk="can take any instance's role from it",
        ),
        allow(
            "ec2:AssociateIamInstanceProfile",
            "ec2:ReplaceIamInstanceProfileAssociation",
            on=ec2("instance"),
            # Not the workstation's: who has a shell on an instance would read evidence with it.
            when={
                "ArnNotLike": {
                    "ec2:NewInstanceProfile": "arn:{partition}:iam::{account}:instance-profile"
                    + IAM_PATH
                    + WORKSTATION_PROFILE
                },
                "Null": {"ec2:NewInstanceProfile": "false"},
            },
            because="puts an isolated profile in the place of the instance's own, and that back on "
            "release",
            risk="can take any instance's role from it; which others it gives, `iam:PassRole` says",
        ),
        allow(
            "iam:PassRole",
            on=tuple(
                "arn:{partition}:iam::{account}:role" + IAM_PATH + name
                for name in PROFILES.values()
            ),
            when={"StringLike": {"iam:PassedToService": "ec2.*"}},
            because="gives an isolated profile; who releases must be allowed to pass the "
            "instance's own role, which the responder role is not",
        ),
    )

    def observe(self, incident: Incident[Scene]) -> Observation:
        """The profile's ARN; None when the instance has none, which it had before."""
        association = associated(incident)
        if association is None and PROFILE not in incident.known:
            raise Skip("the instance has no profile, so it has no role's credentials")
        return {PROFILE: association and {"arn": association["IamInstanceProfile"]["Arn"]}}

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line while the instance has a profile that is not the isolated one."""
        state = observation[PROFILE]
        if state is None or _is_enough(incident, state["arn"], self.kind):
            return ()
        return (f"{state['arn']} gives the instance its role",)

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Swaps; a profile that can't be swapped is removed."""
        if _replaced(incident, self.kind):
            return
        association = associated(incident)
        if association is not None:
            incident.client("ec2").disassociate_iam_instance_profile(
                AssociationId=association["AssociationId"]
            )

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """The profile that it had."""
        client, arn = incident.client("ec2"), before[PROFILE]["arn"]
        association = associated(incident)
        try:
            if association is None:
                client.associate_iam_instance_profile(
                    InstanceId=incident.target, IamInstanceProfile={"Arn": arn}
                )
            else:
                client.replace_iam_instance_profile_association(
                    AssociationId=association["AssociationId"], IamInstanceProfile={"Arn": arn}
                )
        except Exception as error:
            if not is_denied(error):
                raise
            raise PermissionError(
                f"{explain(error)} To give {arn} back takes iam:PassRole on its role, which the "
                "responder role does not have: who could pass it could have it. Run this release "
                "again with credentials that may; what is restored already stays so"
            ) from error

    def is_own(self, incident: Incident[Scene], resource: str, state: Json) -> bool:
        """One of the kit's isolated profiles."""
        return bool(state and is_isolated(state["arn"]))


def associated(incident: Incident[Scene]) -> IamInstanceProfileAssociationTypeDef | None:
    """The instance's profile association; None when it has no profile."""
    answer = incident.client("ec2").describe_iam_instance_profile_associations(
        Filters=[
            {"Name": "instance-id", "Values": [incident.target]},
            {"Name": "state", "Values": ["associating", "associated"]},
        ]
    )
    return next(iter(answer["IamInstanceProfileAssociations"]), None)


def name_of(profile_arn: str) -> str:
    """A profile's name, without its path."""
    return profile_arn.rsplit("/", 1)[-1]


def is_isolated(profile_arn: str) -> bool:
    """Whether this has the name of one of the isolated profiles."""
    return name_of(profile_arn) in PROFILES.values()


def _is_enough(incident: Incident[Scene], arn: str, kind: str) -> bool:
    """The isolated profile of the kind, if it gives what it should; any where there is none."""
    if kind == REMOVE or not is_isolated(arn) or incident.prepared.profile_fault(name_of(arn)):
        return False
    wanted = PROFILES[kind]
    return name_of(arn) == wanted or incident.prepared.profile_fault(wanted) == ABSENT


def _replaced(incident: Incident[Scene], kind: str) -> bool:
    """Whether the instance has the isolated profile now; tells why not, if it was wanted."""
    if kind == REMOVE:
        return False
    wanted, association = PROFILES[kind], associated(incident)
    fault = incident.prepared.profile_fault(wanted)
    trouble = f"readiness: {fault}"
    if not fault and association is not None:
        try:
            incident.client("ec2").replace_iam_instance_profile_association(
                AssociationId=association["AssociationId"], IamInstanceProfile={"Name": wanted}
            )
            return True
        except Exception as error:
            trouble = explain(error)
            association = associated(incident)  # it may have been done, and the answer lost
    if association is None or _is_enough(incident, association["IamInstanceProfile"]["Arn"], kind):
        return True
    incident.risk(f"the profile is removed, not swapped for an isolated one: {trouble}")
    return False
