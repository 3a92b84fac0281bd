"""Interfaces and instances that an AWS service manages: EC2 may refuse others to change them.

EC2 says so of the resource: `Operator` names the service (ECS Managed Instances, EKS Auto Mode …),
`RequesterManaged` is true of an interface that a service created for itself (EC2 API,
OperatorResponse, NetworkInterface). Changes are tried all the same, since some are allowed.
"""

from __future__ import annotations

from collections.abc import Mapping

from responders.json_values import Json

SERVICES = {
    "ecs": ("Amazon ECS", "stop its task or drain its container instance there"),
    "eks": ("Amazon EKS", "delete its pod or drain and delete its node there"),
}
"""Part of an operator's or requester's name to the service, and what its owner can do there."""
ALTERNATIVES = (
    "`--nacl` with the remote addresses denies them to its subnet, `--host-firewall` closes it "
    "from the inside, `--stop` ends all its connections"
)


def manager(resource: Mapping[str, Json]) -> str:
    """The service that manages a resource, by name; empty when none does."""
    operator = resource.get("Operator") or {}
    principal = str(operator.get("Principal") or "") if operator.get("Managed") else ""
    requester = str(resource.get("RequesterId") or "") if resource.get("RequesterManaged") else ""
    identity = principal or requester
    for part, (service, _) in SERVICES.items():
        if part in identity.replace("-", ".").split("."):
            return service
    if identity:
        return identity
    is_managed = operator.get("Managed") or resource.get("RequesterManaged")
    return "an AWS service" if is_managed else ""


def advice(service: str) -> str:
    """What can still be done where EC2 refuses to change what the service manages."""
    by_owner = next((steps for name, steps in SERVICES.values() if name == service), "")
    in_service = f"; or, in {service}: {by_owner}" if by_owner else f"; or end it in {service}"
    return ALTERNATIVES + in_service
