"""Compares what the account says of its preparation with what is pinned; only looks and tells.

With a trust document whatever differs is tampering: the response goes on without it, and can't
count as complete. Without one it is told that nothing was pinned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contract import Purpose
from responders import prepared
from responders.action import Action, Incident, Observation
from responders.scene import Scene
from responders.trust.isolated_profiles import ABSENT, PROFILES
from responders.trust.judgement import group_differences


class Tampered(Exception):
    """What was prepared is not as `pulumi up` left it; a response used none of it."""


@dataclass(frozen=True)
class VerifyPreparation(Action[Any]):
    """The account's word about itself is what is pinned."""

    name = "verify-preparation"
    writes_aws = False
    permissions = prepared.PERMISSIONS

    def observe(self, incident: Incident[Any]) -> Observation:
        """Nothing to keep; `Tampered` names everything that differs."""
        judged = incident.prepared.judgement()
        for note in judged.notes:
            incident.risk(note)
        lines = list(judged.tampering)
        lines += filter(lambda fault: fault != ABSENT, _profiles(incident))
        if isinstance(incident.subject, Scene):
            for line in _groups(incident, incident.subject):
                # Where nothing is pinned, a tag proves as little for the group as against it.
                lines.append(line) if incident.prepared.document else incident.risk(line)
        if lines:
            raise Tampered("; ".join(lines))
        return {}

    def lacks(self, incident: Incident[Any], observation: Observation) -> tuple[str, ...]:
        """Nothing: what differs was raised."""
        return ()

    def act(self, incident: Incident[Any], observation: Observation) -> None:
        """Nothing to do."""

    def undo(self, incident: Incident[Any], before: Observation) -> None:
        """Nothing was done."""


def _profiles(incident: Incident[Any]) -> Iterator[str]:
    """Why an isolated profile is not what it was made to be, for those that are looked at anyway.

    An identity is contained without them.
    """
    if isinstance(incident.subject, Scene) and incident.subject.instance.get("IamInstanceProfile"):
        yield from filter(None, map(incident.prepared.profile_fault, PROFILES.values()))


def _groups(incident: Incident[Any], scene: Scene) -> Iterator[str]:
    """A line for each group of the instance's VPCs that only claims to be the kit's, or differs."""
    vpcs = {str(i["VpcId"]) for i in scene.interfaces}
    named = {group.id: group for group in scene.groups if group.vpc in vpcs}
    for group in prepared.tagged(incident.aws, incident.region, vpcs):
        if group.id not in named and group.owner == incident.account:
            yield f"{group.id} is tagged as the kit's {group.purpose} group, and is not: not used"
    for vpc in sorted(vpcs):
        for purpose in (Purpose.ISOLATE, Purpose.UNTRACK):
            if not (pinned := incident.prepared.pinned_group(vpc, purpose)):
                continue
            if pinned not in named:
                yield f"{pinned} ({purpose}, {vpc}) is pinned and gone"
                continue
            rules = incident.prepared.rules(purpose)
            yield from group_differences(rules, named[pinned].rules, pinned)
            others = [g for g in named.values() if (g.vpc, g.purpose) == (vpc, purpose.value)]
            for other in others:
                if other.id != pinned and prepared.ON_DEMAND not in other.name:
                    yield f"{other.id} has the name of the pinned {pinned}: not used"
