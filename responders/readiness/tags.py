"""Instances carry the tags that the tagging rules ask for."""

from __future__ import annotations

from collections.abc import Iterator

from contract import TAG_RULES, TagRule
from responders.permissions import allow
from responders.readiness import OK, WARN, Finding, Place

SCOPE = "region"
PERMISSIONS = (allow("ec2:DescribeInstances", because="reads the instances' tags"),)
SHOWN = 5


def check(place: Place) -> Iterator[Finding]:
    """A warning for each rule that some instance breaks; silent where there are none."""
    pages = place.client("ec2").get_paginator("describe_instances").paginate()
    tagged = {
        i["InstanceId"]: {t["Key"]: t["Value"] for t in i.get("Tags", ())}
        for page in pages
        for r in page["Reservations"]
        for i in r["Instances"]
        if i["State"]["Name"] != "terminated"
    }
    if not tagged:
        return
    broken = False
    for rule in TAG_RULES:
        wrong = sorted(i for i, tags in tagged.items() if not _keeps(rule, tags))
        if wrong:
            broken = True
            names = ", ".join(wrong[:SHOWN]) + (" …" if len(wrong) > SHOWN else "")
            yield Finding(
                "tags",
                WARN,
                f"{len(wrong)} of {len(tagged)} instances lack a right {rule.key}: {names}",
                f"Tag them: {rule.key}={' | '.join(rule.values) or 'any value'}.",
            )
    if not broken:
        yield Finding("tags", OK, f"all {len(tagged)} instances are tagged by the rules")


def _keeps(rule: TagRule, tags: dict[str, str]) -> bool:
    value = tags.get(rule.key)
    return rule.allows(value) if value is not None else not rule.required
