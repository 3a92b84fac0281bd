"""How long until an instance is isolated: Cordon, beside the script that one writes by hand.

Both run in this process against the account of the lab, each call delayed by 100 ms, as from
another continent. The script does what published isolation scripts do: it searches region after
region, makes a group, and changes the interfaces one after the other; it verifies nothing.

    python -m benchmarks.contain

Measured on 2 cores (CPython 3.11): by hand 2.0 s, for a region that comes tenth of 17; Cordon 1.9 s
with all regions searched at once, 0.7 s with the region known. Cordon's figures include the record
on disk and the reading back.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any

import boto3

from contract import GROUP_DESCRIPTIONS, GROUP_NAMES, Purpose, kit_tags
from lab.inprocess import clients, in_process
from lab.mended import FAULTS
from lab.server import credentials_env
from responders.cli import app

REGION = "eu-west-1"
LATENCY = 0.1
"""Seconds added to each call."""


def by_hand(instance: str) -> None:
    """The script: search, make a group, change each interface."""
    regions = boto3.client("ec2", region_name=REGION).describe_regions()["Regions"]
    for name in (r["RegionName"] for r in regions):
        ec2 = boto3.client("ec2", region_name=name)
        filters = [{"Name": "instance-id", "Values": [instance]}]
        if not (reservations := ec2.describe_instances(Filters=filters)["Reservations"]):
            continue
        described = reservations[0]["Instances"][0]
        group = ec2.create_security_group(
            GroupName=f"isolate-{time.time_ns()}", Description="x", VpcId=described["VpcId"]
        )["GroupId"]
        rules = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=rules["IpPermissionsEgress"])
        for interface in described["NetworkInterfaces"]:
            ec2.modify_network_interface_attribute(
                NetworkInterfaceId=interface["NetworkInterfaceId"], Groups=[group]
            )
        return


def by_cordon(instance: str, *options: str) -> float:
    """The real command line; gives `contained_after_s`."""
    output = StringIO()
    words = ["instance", instance, "--case", f"B-{time.time_ns()}", "--tracking", "direct"]
    with redirect_stdout(output), redirect_stderr(StringIO()):
        try:
            app([*words, "--json", *options])
        except SystemExit:
            pass
    return float(json.loads(output.getvalue())["contained_after_s"])


@contextmanager
def account() -> Iterator[Callable[[], str]]:
    """A prepared VPC, and what launches one more instance of two interfaces in it."""
    os.environ.update(credentials_env(), AWS_REGION=REGION, MOTO_EC2_LOAD_DEFAULT_AMIS="false")
    with in_process(), tempfile.TemporaryDirectory() as home:
        os.environ["CORDON_HOME"] = home
        ec2 = clients(credentials_env())("ec2", REGION)
        vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.1.0/24")["Subnet"]["SubnetId"]
        _group(ec2, vpc)

        def launch() -> str:
            FAULTS.clear()
            answer = ec2.run_instances(
                ImageId="ami-12345678",
                MinCount=1,
                MaxCount=1,
                NetworkInterfaces=[{"DeviceIndex": n, "SubnetId": subnet} for n in (0, 1)],
            )
            FAULTS.delay("*", "*", LATENCY)
            return str(answer["Instances"][0]["InstanceId"])

        yield launch
        FAULTS.clear()


def _group(ec2: Any, vpc: str) -> None:
    group = ec2.create_security_group(
        GroupName=GROUP_NAMES[Purpose.ISOLATE],
        Description=GROUP_DESCRIPTIONS[Purpose.ISOLATE],
        VpcId=vpc,
    )["GroupId"]
    tags = [{"Key": k, "Value": v} for k, v in kit_tags(Purpose.ISOLATE).items()]
    ec2.create_tags(Resources=[group], Tags=tags)
    rules = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=rules["IpPermissionsEgress"])


def main() -> None:
    """Prints the table. Each figure is the best of three."""
    with account() as launch:
        scripted = []
        for _ in range(3):
            instance = launch()
            begun = time.monotonic()
            by_hand(instance)
            scripted.append(time.monotonic() - begun)
        anywhere = [by_cordon(launch()) for _ in range(3)]
        known = [by_cordon(launch(), "--region", REGION) for _ in range(3)]
    print(f"by hand, all regions searched in turn   {min(scripted):5.1f} s")
    print(f"cordon, all regions searched at once    {min(anywhere):5.1f} s")
    print(f"cordon, region known                    {min(known):5.1f} s")


if __name__ == "__main__":
    main()
