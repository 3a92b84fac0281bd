"""Stages a workload and what may be wrong with it: plain boto3, nothing of Cordon's.

`network` makes a place, `workload` a server in it with all that containment must reckon with: two
interfaces, IPv6, an Elastic IP, an instance profile whose role has another name and a path, data
volumes, an Auto Scaling group, a target group.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Clients = Callable[[str, str], Any]
"""A boto3 client of a service in a region."""

IMAGE = "ami-0123456789abcdef0"
TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
    '"Principal": {"Service": "ec2.amazonaws.com"}}]}'
)
USER_DATA = "#!/bin/sh\nexport DB_PASSWORD=example-only\nsystemctl start shop\n"


@dataclass(frozen=True)
class Network:
    """A VPC with IPv6, two subnets in two zones, and two groups."""

    region: str
    vpc: str
    subnets: tuple[str, str]
    web: str
    data: str


@dataclass(frozen=True)
class Options:
    """What a workload has. Every part can be left out or made difficult."""

    name: str = "shop"
    instance_type: str = "m7i.large"
    second_interface: bool = True
    profile: bool = True
    elastic_ip: bool = True
    data_volumes: int = 2
    auto_scaling: bool = True
    target_group: bool = True
    classic_balancer: bool = False
    encrypted: bool = False
    stopped: bool = False


@dataclass(frozen=True)
class Workload:
    """What was staged. Empty texts and tuples: not staged. `groups` are those of each interface."""

    network: Network
    instance: str
    interfaces: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    volumes: tuple[str, ...]
    profile_arn: str = ""
    role: str = ""
    allocation: str = ""
    public_ip: str = ""
    auto_scaling_group: str = ""
    target_group: str = ""
    classic_balancer: str = ""
    options: Options = field(default_factory=Options)


def network(clients: Clients, region: str, cidr: str = "10.20.0.0/16") -> Network:
    """Makes the network, with a way to the internet."""
    ec2 = clients("ec2", region)
    created = ec2.create_vpc(
        CidrBlock=cidr, AmazonProvidedIpv6CidrBlock=True, **_named("vpc", "shop")
    )
    vpc = created["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    prefix = ".".join(cidr.split(".")[:2])
    v6 = _ipv6_network(ec2, vpc)
    subnets = [
        ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=f"{prefix}.{number}.0/24",
            Ipv6CidrBlock=f"{v6.removesuffix('00::/56')}0{number}::/64",
            AvailabilityZone=f"{region}{zone}",
        )["Subnet"]["SubnetId"]
        for number, zone in enumerate("ab")
    ]
    web = _group(ec2, vpc, "shop-web", 443, "0.0.0.0/0")
    data = _group(ec2, vpc, "shop-data", 5432, cidr)
    return Network(region, vpc, (subnets[0], subnets[1]), web, data)


def workload(clients: Clients, network: Network, options: Options | None = None) -> Workload:
    """Makes the server and everything around it."""
    options = options or Options()
    ec2 = clients("ec2", network.region)
    profile, role = _profile(clients, network, options) if options.profile else ("", "")
    launched = _launch(ec2, network, options, profile)
    instance = launched["InstanceId"]
    order = sorted(launched["NetworkInterfaces"], key=lambda n: n["Attachment"]["DeviceIndex"])
    interfaces = tuple(nic["NetworkInterfaceId"] for nic in order)
    for interface in interfaces:
        ec2.assign_ipv6_addresses(NetworkInterfaceId=interface, Ipv6AddressCount=1)
    address = _address(ec2, interfaces[0]) if options.elastic_ip else {}
    target = _target_group(clients, network, options) if options.target_group else ""
    group = (
        _auto_scaling(clients, network, options, instance, target) if options.auto_scaling else ""
    )
    if target and not group:
        clients("elbv2", network.region).register_targets(
            TargetGroupArn=target, Targets=[{"Id": instance}]
        )
    balancer = _classic(clients, network, options, instance) if options.classic_balancer else ""
    if options.stopped:
        ec2.stop_instances(InstanceIds=[instance])
    mapped = _described(ec2, instance)["BlockDeviceMappings"]
    return Workload(
        network=network,
        instance=instance,
        interfaces=interfaces,
        groups=tuple(tuple(g["GroupId"] for g in nic["Groups"]) for nic in order),
        volumes=tuple(device["Ebs"]["VolumeId"] for device in mapped),
        profile_arn=profile,
        role=role,
        allocation=address.get("AllocationId", ""),
        public_ip=address.get("PublicIp", ""),
        auto_scaling_group=group,
        target_group=target,
        classic_balancer=balancer,
        options=options,
    )


def _launch(ec2: Any, network: Network, options: Options, profile: str) -> dict[str, Any]:
    interfaces = [{"DeviceIndex": 0, "SubnetId": network.subnets[0], "Groups": [network.web]}]
    if options.second_interface:
        interfaces.append(
            {"DeviceIndex": 1, "SubnetId": network.subnets[0], "Groups": [network.data]}
        )
    disk = {"VolumeSize": 8, "Encrypted": options.encrypted, "DeleteOnTermination": True}
    letters = "fghijklmnop"[: options.data_volumes]
    devices = ["/dev/sda1", *(f"/dev/sd{letter}" for letter in letters)]
    tags = [
        {"Key": "Name", "Value": options.name},
        {"Key": "Environment", "Value": "Production"},
        {"Key": "Owner", "Value": "shop@example.com"},
    ]
    launched = ec2.run_instances(
        ImageId=IMAGE,
        InstanceType=options.instance_type,
        MinCount=1,
        MaxCount=1,
        UserData=USER_DATA,
        NetworkInterfaces=interfaces,
        BlockDeviceMappings=[{"DeviceName": name, "Ebs": disk} for name in devices],
        TagSpecifications=[{"ResourceType": kind, "Tags": tags} for kind in ("instance", "volume")],
        **({"IamInstanceProfile": {"Arn": profile}} if profile else {}),
    )
    instance: dict[str, Any] = launched["Instances"][0]
    return instance


def _profile(clients: Clients, network: Network, options: Options) -> tuple[str, str]:
    """An instance profile under a path, and a role of another name under another path."""
    iam = clients("iam", network.region)
    name = f"{options.name}-server-{network.region}"
    role = f"{options.name}-backend-{network.region}"
    iam.create_role(RoleName=role, Path="/service-role/", AssumeRolePolicyDocument=TRUST)
    profile = iam.create_instance_profile(InstanceProfileName=name, Path="/fleet/")[
        "InstanceProfile"
    ]
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)
    return profile["Arn"], role


def _address(ec2: Any, interface: str) -> dict[str, str]:
    address: dict[str, str] = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=interface)
    return address


def _target_group(clients: Clients, network: Network, options: Options) -> str:
    group = clients("elbv2", network.region).create_target_group(
        Name=options.name, Protocol="HTTPS", Port=443, VpcId=network.vpc, TargetType="instance"
    )
    return str(group["TargetGroups"][0]["TargetGroupArn"])


def _auto_scaling(
    clients: Clients, network: Network, options: Options, instance: str, target: str
) -> str:
    scaling, ec2 = clients("autoscaling", network.region), clients("ec2", network.region)
    ec2.create_launch_template(
        LaunchTemplateName=options.name,
        LaunchTemplateData={"ImageId": IMAGE, "InstanceType": options.instance_type},
    )
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=options.name,
        LaunchTemplate={"LaunchTemplateName": options.name, "Version": "$Latest"},
        MinSize=0,
        MaxSize=3,
        DesiredCapacity=0,
        VPCZoneIdentifier=",".join(network.subnets),
        **({"TargetGroupARNs": [target]} if target else {}),
    )
    scaling.attach_instances(AutoScalingGroupName=options.name, InstanceIds=[instance])
    return options.name


def _classic(clients: Clients, network: Network, options: Options, instance: str) -> str:
    name = f"{options.name}-classic"
    balancers = clients("elb", network.region)
    listener = {
        "Protocol": "TCP",
        "LoadBalancerPort": 443,
        "InstanceProtocol": "TCP",
        "InstancePort": 443,
    }
    balancers.create_load_balancer(
        LoadBalancerName=name, Listeners=[listener], Subnets=list(network.subnets)
    )
    balancers.register_instances_with_load_balancer(
        LoadBalancerName=name, Instances=[{"InstanceId": instance}]
    )
    return name


def _group(ec2: Any, vpc: str, name: str, port: int, cidr: str) -> str:
    group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    return str(group)


def _ipv6_network(ec2: Any, vpc: str) -> str:
    [described] = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
    return str(described["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"])


def _described(ec2: Any, instance: str) -> dict[str, Any]:
    answer = ec2.describe_instances(InstanceIds=[instance])
    described: dict[str, Any] = answer["Reservations"][0]["Instances"][0]
    return described


def _named(kind: str, name: str) -> dict[str, Any]:
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]}
