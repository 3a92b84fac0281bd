"""What a command on the instance needs: a running host, a way out, an agent, and a vault."""

from __future__ import annotations

from contract import Rule, permission_rules
from responders.action import Incident
from responders.errors import Skip
from responders.host import run_command
from responders.record import vault
from responders.record.vault import Vault
from responders.scene import Scene
from responders.trust.vault_proof import VaultNotProven

HTTPS = 443


def ready(incident: Incident[Scene]) -> run_command.Agent:
    """The agent of the target, if it can be asked; `Skip`, incomplete, with the reason if not."""
    state = incident.subject.instance["State"]["Name"]
    if state != "running":
        raise Skip(f"it is {state}, so nothing can be run on it", incomplete=True)
    if not has_way_out(incident):
        raise Skip(
            "it is isolated, which cuts its path to Systems Manager; --evidence-first captures "
            "memory before that",
            incomplete=True,
        )
    return run_command.ready_agent(incident, incident.target)


def vault_of(incident: Incident[Scene]) -> Vault:
    """The vault, which has proven itself; `Skip`, incomplete, when there is none to use."""
    try:
        prepared = vault.find(incident.aws, incident.region, incident.prepared)
    except VaultNotProven as error:
        raise Skip(error.message, incomplete=True) from error
    if prepared is None:
        raise Skip(f"no vault is prepared in {incident.region} to write to", incomplete=True)
    return prepared


def has_way_out(incident: Incident[Scene]) -> bool:
    """Whether any group on any interface, as they are now, lets HTTPS out.

    No such rule means no way to Systems Manager; one does not prove a way: routes count too.
    """
    scene = incident.subject.afresh()
    ids = sorted({str(g["GroupId"]) for i in scene.interfaces for g in i["Groups"]})
    if not ids:
        return False
    answer = incident.client("ec2").describe_security_groups(
        Filters=[{"Name": "group-id", "Values": ids}]
    )
    return any(
        _lets_https(rule)
        for group in answer["SecurityGroups"]
        for rule in permission_rules(group.get("IpPermissionsEgress", ()))
    )


def _lets_https(rule: Rule) -> bool:
    return rule.protocol == "-1" or (
        rule.protocol in ("tcp", "6") and rule.from_port <= HTTPS <= rule.to_port
    )
