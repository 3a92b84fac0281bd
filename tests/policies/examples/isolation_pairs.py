from contract import TAG_IGNORE, Purpose
from policies.bridge.program import Resource
from tests.policies.samples import kit, made

VPC = made("aws:ec2/vpc:Vpc", "forensic", cidrBlock="10.0.0.0/24", tags=kit(Purpose.FORENSICS))


def group(purpose: Purpose, vpc: Resource | str = "vpc-1", region: str = "eu-west-1") -> Resource:
    kind = "aws:ec2/securityGroup:SecurityGroup"
    name = f"{purpose}-{region}"
    if isinstance(vpc, str):
        return made(kind, name, region=region, vpcId=vpc, tags=kit(purpose))
    return made(kind, name, {"vpcId": vpc}, region=region, tags=kit(purpose))


ISOLATE, UNTRACK = Purpose.ISOLATE, Purpose.UNTRACK
GOOD = [
    [group(ISOLATE), group(UNTRACK)],
    [VPC, group(ISOLATE, VPC), group(UNTRACK, VPC)],
]
BAD = [
    ("no group 'untrack'", [group(ISOLATE)]),
    ("no group 'isolate'", [group(UNTRACK)]),
    ("no group 'untrack'", [group(ISOLATE), group(UNTRACK, "vpc-2")]),
    ("no group 'untrack'", [group(ISOLATE), group(UNTRACK, region="us-east-1")]),
    ("no group 'isolate'", [VPC]),
    ("no group 'untrack'", [VPC, group(ISOLATE, VPC), group(UNTRACK)]),
]
OTHER = [[made("aws:ec2/vpc:Vpc", "left-alone", cidrBlock="10.0.0.0/24", tags={TAG_IGNORE: "yes"})]]
