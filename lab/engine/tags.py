"""Tags of what EC2 has."""

from __future__ import annotations

from lab.engine.resource import Existing


def ec2_tags(existing: Existing) -> None:
    """Makes the tags of the resource those that are declared."""
    ec2 = existing.client("ec2")
    if existing.tags:
        ec2.create_tags(Resources=[existing.id], Tags=existing.tags)
    if existing.dropped_tags:
        ec2.delete_tags(
            Resources=[existing.id], Tags=[{"Key": key} for key in existing.dropped_tags]
        )
