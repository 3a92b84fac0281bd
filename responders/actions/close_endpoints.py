"""Removes the endpoints that workstations were opened with, once no workstation is left.

They cost money while they are there. Those that were prepared have another purpose, and stay.
"""

from __future__ import annotations

from contract import TAG_CASE, TAG_PURPOSE, Purpose
from responders.action import Action, Incident, Observation
from responders.actions.open_endpoints import endpoints
from responders.aws import SomeFailed
from responders.errors import Skip
from responders.permissions import allow, ec2
from responders.volumes import workstation
from responders.volumes.workstation import OWN, Workstation


class CloseEndpoints(Action[Workstation]):
    """None of those endpoints is left, whichever case opened them."""

    name = "close-endpoints"
    permissions = (
        allow(
            "ec2:DeleteVpcEndpoints",
            on=ec2("vpc-endpoint"),
            when=OWN,
            because="removes the endpoints that a workstation was opened with",
        ),
    )

    def observe(self, incident: Incident[Workstation]) -> Observation:
        """Endpoint to its service; those only that a workstation was opened with."""
        found = endpoints(incident.client("ec2"), incident.manifest.forensic_vpc)
        return {
            str(e["VpcEndpointId"]): str(e["ServiceName"])
            for e in found
            if workstation.tag(e, TAG_PURPOSE) == Purpose.WORKSTATION.value
        }

    def lacks(self, incident: Incident[Workstation], observation: Observation) -> tuple[str, ...]:
        """A line for each that is left."""
        return tuple(f"{endpoint} ({service}) is open" for endpoint, service in observation.items())

    def act(self, incident: Incident[Workstation], observation: Observation) -> None:
        """Deletes them; `Skip` while a workstation of another case uses them."""
        if others := _others(incident):
            raise Skip(f"a workstation of another case uses them: {', '.join(others)}")
        answer = incident.client("ec2").delete_vpc_endpoints(VpcEndpointIds=list(observation))
        failures = [
            f"{u['ResourceId']}: {u['Error']['Code']}: {u['Error']['Message']}"
            for u in answer.get("Unsuccessful", ())
        ]
        if failures:
            raise SomeFailed(failures)

    def undo(self, incident: Incident[Workstation], before: Observation) -> None:
        """Nothing: `cordon workstation open` makes new ones."""
        raise Skip("`cordon workstation open` makes new ones")


def _others(incident: Incident[Workstation]) -> list[str]:
    """Open workstations of other cases in the same VPC."""
    answer = incident.client("ec2").describe_instances(
        Filters=[
            {"Name": "vpc-id", "Values": [incident.manifest.forensic_vpc]},
            {"Name": f"tag:{TAG_PURPOSE}", "Values": [Purpose.WORKSTATION.value]},
            {"Name": "instance-state-name", "Values": list(workstation.ALIVE)},
        ]
    )
    return sorted(
        str(i["InstanceId"])
        for r in answer["Reservations"]
        for i in r["Instances"]
        if workstation.tag(i, TAG_CASE) != incident.case
    )
