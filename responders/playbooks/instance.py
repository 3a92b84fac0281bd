"""The instance playbook: contain first, evidence beside it, nothing destroyed.

The network waits only for the Auto Scaling step (at most 5 s) and for the groups to be verified.
"""

from __future__ import annotations

from responders.action import Options
from responders.actions.isolate_network import IsolateNetwork
from responders.actions.leave_fleet import LeaveFleet
from responders.actions.prepare_groups import PrepareGroups
from responders.actions.protect import Protect
from responders.actions.record import Record
from responders.actions.tag import Tag
from responders.aws import Aws
from responders.case import Case
from responders.locate import Located, locate
from responders.run import Step

FLEET_WAIT = 5.0
"""Seconds that isolation waits for the instance to leave its Auto Scaling group."""

__all__ = ["check", "locate", "steps"]


def check(aws: Aws, located: Located, options: Options, case: Case) -> None:
    """Every option applies to every instance."""


def steps(options: Options) -> tuple[Step, ...]:
    """The graph, in the order in which release undoes it backwards."""
    return (
        Step(Record()),
        Step(Protect()),
        Step(LeaveFleet()),
        Step(PrepareGroups()),
        Step(
            IsolateNetwork(),
            after={"leave-fleet": FLEET_WAIT, "prepare-groups": None},
            recheck=True,
        ),
        Step(Tag()),
    )
