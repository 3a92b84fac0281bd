"""`RunInstances` honours what moto drops: termination protection, interfaces that end with it.

EC2 API, RunInstances: `DisableApiTermination`; `DeleteOnTermination` of an interface made by the
launch is true unless said otherwise; IPv6 addresses asked for in an interface's specification.
"""

from __future__ import annotations

from typing import Any

from lab.backends import regional
from lab.gate.answers import amend
from lab.gate.call import Call


def mend() -> None:
    """Completes each new instance after moto has made it."""
    amend("ec2", "RunInstances")(_complete)


def _complete(call: Call, result: dict[str, Any]) -> None:
    backend = regional(call)
    interfaces = {n.get("DeviceIndex", 0): n for n in call.params.get("NetworkInterfaces", [])}
    for described in result["Instances"]:
        instance = backend.get_instance(described["InstanceId"])
        instance.disable_api_termination = call.params.get("DisableApiTermination", False)
        for index, nic in instance.nics.items():
            requested = interfaces.get(index, {})
            if "NetworkInterfaceId" not in requested:
                nic.delete_on_termination = requested.get("DeleteOnTermination", True)
            nic.ipv6_addresses += [a["Ipv6Address"] for a in requested.get("Ipv6Addresses", [])]
            if requested.get("Ipv6AddressCount"):
                backend.assign_ipv6_addresses(nic.id, None, requested["Ipv6AddressCount"])
