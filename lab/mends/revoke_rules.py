"""A revocation must name the peer of the rule that it revokes.

Moto lets a permission without any range succeed and revokes nothing. AWS answers
`InvalidPermission.NotFound` when no rule matches (EC2 API, RevokeSecurityGroupEgress, non-default
VPC).
"""

from __future__ import annotations

from lab.gate.answers import check
from lab.gate.call import Call
from lab.gate.wire import AwsError

_PEERS = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")


def mend() -> None:
    """Refuses a revocation that names nothing."""
    check("ec2", "RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress")(_check_peers)


def _check_peers(call: Call) -> None:
    for permission in call.params.get("IpPermissions", []):
        if not any(permission.get(kind) for kind in _PEERS):
            raise AwsError(
                "InvalidPermission.NotFound",
                "The specified rule does not exist in this security group.",
            )
