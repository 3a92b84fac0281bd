"""The instance playbook: contain first, evidence beside it, nothing destroyed.

The network waits only for the Auto Scaling step (at most 5 s) and for the groups to be verified;
with `evidence_first` also for memory, at most until the deadline. What is asked of the host itself
starts at once, because isolation cuts the way to it: the dwell of `convert` is what it has.
"""

from __future__ import annotations

from responders.action import Options
from responders.actions.host_firewall import HostFirewall
from responders.actions.isolate_network import IsolateNetwork
from responders.actions.leave_fleet import LeaveFleet
from responders.actions.memory import CaptureMemory
from responders.actions.prepare_groups import PrepareGroups
from responders.actions.protect import Protect
from responders.actions.record import Record
from responders.actions.snapshot import TakeSnapshots
from responders.actions.tag import Tag
from responders.actions.volatile import CollectVolatile
from responders.aws import Aws
from responders.case import Case
from responders.locate import Located, locate
from responders.playbooks import snapshots
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
        *_from_the_host(options),
        Step(Protect()),
        Step(LeaveFleet()),
        Step(PrepareGroups()),
        Step(
            IsolateNetwork(),
            after={"leave-fleet": FLEET_WAIT, "prepare-groups": None, **memory_first(options)},
            recheck=True,
        ),
        Step(Tag()),
        *_snapshots(options),
    )


def memory_first(options: Options) -> dict[str, float | None]:
    """What cuts the way from the host to the vault waits so: for `Step.after`."""
    first = options.evidence_first
    return dict.fromkeys(("memory", "volatile"), options.deadline) if first else {}


def _from_the_host(options: Options) -> tuple[Step, ...]:
    """Before isolation in this order, so that release comes to the host after the network."""
    wanted: tuple[Step, ...] = ()
    if options.memory:
        wanted += (Step(CollectVolatile()), Step(CaptureMemory()))
    if options.host_firewall:
        wanted += (Step(HostFirewall(), after=memory_first(options)),)
    return wanted


def _snapshots(options: Options) -> tuple[Step, ...]:
    return (Step(TakeSnapshots()), *snapshots.steps(options)) if options.snapshot else ()
