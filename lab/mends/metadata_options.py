"""`ModifyInstanceMetadataOptions` keeps the options that a call does not name.

Moto sets them to nothing. (EC2 API, ModifyInstanceMetadataOptions.)
"""

from __future__ import annotations

from typing import Any

from lab.backends import regional
from lab.gate.answers import answer
from lab.gate.call import Call

_OPTIONS = {
    "HttpTokens": "http_tokens",
    "HttpPutResponseHopLimit": "http_put_response_hop_limit",
    "HttpEndpoint": "http_endpoint",
    "HttpProtocolIpv6": "http_protocol_ipv6",
    "InstanceMetadataTags": "instance_metadata_tags",
}


def mend() -> None:
    """Answers ModifyInstanceMetadataOptions."""
    answer("ec2", "ModifyInstanceMetadataOptions")(_modify)


def _modify(call: Call) -> dict[str, Any]:
    options = regional(call).get_instance(call.params["InstanceId"]).metadata_options
    for name, attribute in _OPTIONS.items():
        if name in call.params:
            setattr(options, attribute, call.params[name])
    described = {name: getattr(options, attribute) for name, attribute in _OPTIONS.items()}
    return {
        "InstanceId": call.params["InstanceId"],
        "InstanceMetadataOptions": {"State": "pending", **described},
    }
