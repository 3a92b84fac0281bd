"""Regions are enabled or not, per account; a call to one that is not is refused.

Moto lists every region of every partition whatever is asked. AWS: DescribeRegions gives the enabled
ones, or all with `AllRegions`; 17 need no opting in (AWS account management guide, "Enable or
disable AWS Regions"). `enable` sets the list of an account.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from boto3 import Session
from moto.ec2.models import ec2_backends
from moto.utilities.utils import get_partition

from lab.gate.answers import answer
from lab.gate.call import Call
from lab.gate.door import Proceed
from lab.gate.wire import AwsError, Response
from lab.policy import like

NO_OPT_IN = frozenset(
    "ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1 ap-southeast-2 "
    "ca-central-1 eu-central-1 eu-north-1 eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-1 "
    "us-east-2 us-west-1 us-west-2".split()
)
"""Regions of the partition `aws` that every account has."""

_HOMES = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


def mend() -> None:
    """Answers DescribeRegions; `refuse_disabled` is the layer that refuses."""
    answer("ec2", "DescribeRegions")(_describe)


def enable(account: str, regions: Iterable[str]) -> None:
    """Enables exactly these regions (of one partition) in an account, until moto is reset."""
    names = frozenset(regions)
    _home(account, get_partition(next(iter(names)))).__dict__["lab_regions"] = names


def enabled(account: str, partition: str) -> frozenset[str]:
    """The regions that are enabled in an account."""
    default = NO_OPT_IN if partition == "aws" else frozenset(_all(partition))
    enabled: frozenset[str] = _home(account, partition).__dict__.get("lab_regions", default)
    return enabled


def refuse_disabled(call: Call, proceed: Proceed) -> Response:
    """A layer for the door: credentials are not valid in a region that is not enabled."""
    partition = get_partition(call.region)
    if call.region in _all(partition) and call.region not in enabled(call.account, partition):
        if call.protocol == "ec2":
            raise AwsError(
                "AuthFailure",
                "AWS was not able to validate the provided access credentials",
                401,
            )
        if "json" in call.protocol:
            raise AwsError(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            )
        raise AwsError(
            "InvalidClientTokenId", "The security token included in the request is invalid.", 403
        )
    return proceed()


def _home(account: str, partition: str) -> Any:
    return ec2_backends[account][_HOMES[partition]]


def _all(partition: str) -> list[str]:
    if partition not in _REGIONS:
        _REGIONS[partition] = Session().get_available_regions("ec2", partition_name=partition)
    return _REGIONS[partition]


_REGIONS: dict[str, list[str]] = {}


def _describe(call: Call) -> dict[str, Any]:
    partition = get_partition(call.region)
    on = enabled(call.account, partition)
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    regions = [
        {
            "RegionName": name,
            "Endpoint": f"ec2.{name}.{suffix}",
            "OptInStatus": _status(name, name in on, partition),
        }
        for name in _all(partition)
    ]
    named = call.params.get("RegionNames", [])
    for name in named:
        if name not in _all(partition):
            raise AwsError("InvalidParameterValue", f"Invalid region: '{name}'")
    shown = [
        r
        for r in regions
        if (
            r["RegionName"] in named
            if named
            else call.params.get("AllRegions") or r["RegionName"] in on
        )
        and all(_passes(r, f) for f in call.params.get("Filters", []))
    ]
    return {"Regions": shown}


def _status(name: str, on: bool, partition: str) -> str:
    if partition != "aws" or name in NO_OPT_IN:
        return "opt-in-not-required"
    return "opted-in" if on else "not-opted-in"


def _passes(region: dict[str, str], parameters: dict[str, Any]) -> bool:
    value = {
        "region-name": region["RegionName"],
        "opt-in-status": region["OptInStatus"],
        "endpoint": region["Endpoint"],
    }[parameters["Name"]]
    return any(like(pattern, value) for pattern in parameters["Values"])
