"""Cases of `lab.mends.commands`: what AWS does and plain moto does not."""

from __future__ import annotations

import json

from tests.lab.mend_cases.account import Account, case, managed, refused, scene


@case
def a_command_runs_a_pinned_document_on_managed_instances(account: Account) -> None:
    ssm = account.client("ssm")
    instance, stranger = managed(account), scene(account).instance
    pin = ssm.describe_document(Name="cordon-host-firewall")["Document"]["Hash"]
    good = {
        "DocumentName": "cordon-host-firewall",
        "DocumentHash": pin,
        "DocumentHashType": "Sha256",
        "InstanceIds": [instance],
        "Parameters": {"Mode": ["apply"]},
    }
    with refused("InvalidDocument"):
        ssm.send_command(**{**good, "DocumentName": "unknown"})
    with refused("InvalidDocument"):
        ssm.send_command(**{**good, "DocumentHash": "0" * 64})
    with refused("InvalidParameters"):
        ssm.send_command(**{**good, "Parameters": {"Mode": ["apply; id"]}})
    with refused("InvalidInstanceId"):
        ssm.send_command(**{**good, "InstanceIds": [stranger]})
    command = ssm.send_command(**good, Comment="example")["Command"]["CommandId"]
    (listed,) = ssm.list_command_invocations(CommandId=command)["CommandInvocations"]
    assert (listed["Status"], listed["StatusDetails"]) == ("Success", "Success")
    ended = ssm.get_command_invocation(CommandId=command, InstanceId=instance, PluginName="linux")
    assert json.loads(ended["StandardOutputContent"])["code"] == 0
    (sent,) = ssm.list_commands(InstanceId=instance)["Commands"]
    assert sent["Parameters"] == {"Mode": ["apply"]}
    assert sent["Comment"] == "example"


@case
def a_command_that_no_agent_takes_times_out(account: Account) -> None:
    ec2, ssm = account.client("ec2"), account.client("ssm")
    instance = managed(account)
    interfaces = ec2.describe_network_interfaces(
        Filters=[{"Name": "attachment.instance-id", "Values": [instance]}]
    )["NetworkInterfaces"]
    closed = ec2.create_security_group(
        GroupName="closed", Description="closed", VpcId=interfaces[0]["VpcId"]
    )["GroupId"]
    group = ec2.describe_security_groups(GroupIds=[closed])["SecurityGroups"][0]
    ec2.revoke_security_group_egress(GroupId=closed, IpPermissions=group["IpPermissionsEgress"])
    for interface in interfaces:
        ec2.modify_network_interface_attribute(
            NetworkInterfaceId=interface["NetworkInterfaceId"], Groups=[closed]
        )
    command = ssm.send_command(
        DocumentName="cordon-host-firewall",
        InstanceIds=[instance],
        Parameters={"Mode": ["apply"]},
    )["Command"]["CommandId"]
    (listed,) = ssm.list_command_invocations(CommandId=command)["CommandInvocations"]
    assert (listed["Status"], listed["StatusDetails"]) == ("TimedOut", "DeliveryTimedOut")
    with refused("InvocationDoesNotExist"):
        ssm.get_command_invocation(CommandId=command, InstanceId=instance)
