"""Tags of what EC2 has."""

from __future__ import annotations

from lab.engine.resource import Held


def ec2_tags(held: Held) -> None:
    """Makes the tags of the resource those that are declared."""
    ec2 = held.client("ec2")
    if held.tags:
        ec2.create_tags(Resources=[held.id], Tags=held.tags)
    if held.dropped_tags:
        ec2.delete_tags(Resources=[held.id], Tags=[{"Key": key} for key in held.dropped_tags])
