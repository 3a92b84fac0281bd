from typing import Any

from contract import Purpose
from policies.bridge.program import Resource
from tests.policies.samples import REGION, kit, made, manifest

ALL = {
    "protocol": "-1",
    "fromPort": 0,
    "toPort": 0,
    "cidrBlocks": ["0.0.0.0/0"],
    "ipv6CidrBlocks": ["::/0"],
}
SSH = {"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["192.0.2.0/24"]}


def group(purpose: Purpose, ingress: list[Any] | None, egress: list[Any] | None) -> Resource:
    rules = {"ingress": ingress, "egress": egress}
    given = {key: value for key, value in rules.items() if value is not None}
    name = f"group-{purpose}"
    return made(
        "aws:ec2/securityGroup:SecurityGroup", name, region=REGION, tags=kit(purpose), **given
    )


def isolate(ingress: list[Any] | None, egress: list[Any] | None) -> Resource:
    return group(Purpose.ISOLATE, ingress, egress)


GOOD = [
    [manifest(), isolate([], [])],
    [manifest("192.0.2.0/24"), isolate([SSH], [])],
    [manifest(), group(Purpose.UNTRACK, [ALL], [ALL])],
]
BAD = [
    ("allows tcp 22-22 192.0.2.0/24 in", [manifest(), isolate([SSH], [])]),
    ("lacks tcp 22-22 192.0.2.0/24 in", [manifest("192.0.2.0/24"), isolate([], [])]),
    ("allows -1 0-0 0.0.0.0/0 out", [manifest(), isolate([], [ALL])]),
    (
        "allows -1 0-0 ::/0 out",
        [manifest(), isolate([], [{**ALL, "cidrBlocks": []}])],
    ),
    (
        "allows tcp 443-443 pl-1234 out",
        [
            manifest(),
            isolate(
                [],
                [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "prefixListIds": ["pl-1234"]}],
            ),
        ],
    ),
    (
        "allows -1 0-0 itself in",
        [manifest(), isolate([{**ALL, "cidrBlocks": [], "self": True}], [])],
    ),
    ("allows -1 0-0 sg-1 in", [manifest(), isolate([{**ALL, "securityGroups": ["sg-1"]}], [])]),
    ("leaves egress unmanaged", [manifest(), isolate([], None)]),
    (
        "lacks -1 0-0 ::/0 out",
        [manifest(), group(Purpose.UNTRACK, [ALL], [{**ALL, "ipv6CidrBlocks": []}])],
    ),
    ("writes no manifest in eu-west-1", [isolate([], [])]),
    ("writes no manifest in eu-west-1", [manifest(region="us-east-1"), isolate([], [])]),
]
OTHER = [[made("aws:ec2/securityGroup:SecurityGroup", "web", ingress=[ALL], egress=[ALL])]]
