"""The instance playbook: contain first, evidence beside it, nothing destroyed.

The network waits only for the Auto Scaling step (at most 5 s) and for the groups to be verified;
with `evidence_first` also for memory, at most until the deadline. What is asked of the host itself
starts at once, because isolation cuts the way to it: the dwell of `convert` is what it has.
"""

from __future__ import annotations

from dataclasses import replace

from responders.action import Options
from responders.actions.deny_subnet import DenySubnet
from responders.actions.disable_metadata import DisableMetadata
from responders.actions.drop_addresses import DropAddresses
from responders.actions.hibernate import Hibernate
from responders.actions.host_firewall import HostFirewall
from responders.actions.isolate_network import IsolateNetwork
from responders.actions.leave_fleet import LeaveFleet
from responders.actions.leave_load_balancers import LeaveLoadBalancers
from responders.actions.memory import CaptureMemory
from responders.actions.prepare_groups import PrepareGroups
from responders.actions.protect import Protect
from responders.actions.record_instance import Record
from responders.actions.revoke_sessions import RevokeSessions
from responders.actions.snapshot import TakeSnapshots
from responders.actions.stop import Stop
from responders.actions.swap_profile import SwapProfile
from responders.actions.tag import Tag
from responders.actions.tell_residual_risks import TellResidualRisks
from responders.actions.volatile import CollectVolatile
from responders.aws import Aws
from responders.locate import Located, locate
from responders.playbooks import snapshots
from responders.record.case import Case
from responders.runner import Step

FLEET_WAIT = 5.0
"""Seconds that isolation waits for the instance to leave its Auto Scaling group."""
HEAD_START = 1.0
"""Seconds that all other steps leave to the way to a closed network, or less if it is closed."""
PATH = ("leave-fleet", "prepare-groups", "isolate-network", "volatile", "memory", "host-firewall")
"""What isolation waits for, or must come before it."""
EVIDENCE: dict[str, float | None] = dict.fromkeys(("record", "volatile", "memory", "host-firewall"))
"""What looks at the metadata service, or needs it: it is turned off after these."""

__all__ = ["check", "locate", "steps"]


def check(aws: Aws, located: Located, options: Options, case: Case) -> None:
    """Every option applies to every instance."""


def steps(options: Options) -> tuple[Step, ...]:
    """The graph, in the order in which release undoes it backwards."""
    return tuple(_behind_the_network(step) for step in _graph(options))


def _behind_the_network(step: Step) -> Step:
    """Whatever the network doesn't wait for gives it a head start: both need the processor."""
    if step.name in PATH:
        return step
    return replace(step, after={"isolate-network": HEAD_START, **step.after})


def _graph(options: Options) -> tuple[Step, ...]:
    first, cut_off = memory_first(options), _host_first(options)
    return (
        Step(Record()),
        *_from_the_host(options),
        Step(Protect()),
        Step(LeaveFleet()),
        Step(PrepareGroups()),
        Step(LeaveLoadBalancers()),
        Step(
            IsolateNetwork(),
            after={
                "leave-fleet": FLEET_WAIT,
                "prepare-groups": None,
                **first,
                **_firewall(options),
            },
            recheck=True,
        ),
        *((Step(DenySubnet(), after=first),) if options.nacl else ()),
        Step(Tag()),
        *_hibernate(options),
        *_stop(options),
        Step(DropAddresses(), after=cut_off, recheck=True),
        Step(SwapProfile(), after=cut_off),
        Step(RevokeSessions(role_wide=options.role_wide), after={"swap-profile": None}),
        *((Step(DisableMetadata(), after=EVIDENCE),) if not options.keep_imds else ()),
        Step(TellResidualRisks()),
        *_snapshots(options),
    )


def _host_first(options: Options) -> dict[str, float | None]:
    """What else cuts the agent off waits so, where something is asked of it.

    With contain-first the agent has until the network is closed, which ends its way anyway.
    """
    if not (options.memory or options.host_firewall):
        return {}
    if options.evidence_first:
        return {**memory_first(options), **_firewall(options)}
    return {"isolate-network": None}


def _firewall(options: Options) -> dict[str, float | None]:
    """It comes after memory and needs the agent's way too: within the same deadline."""
    return {"host-firewall": options.deadline} if options.evidence_first else {}


def _stop(options: Options) -> tuple[Step, ...]:
    """Last of all that happens to the instance, and never without its evidence."""
    if not options.stop:
        return ()
    before = dict.fromkeys(("record", "host-firewall", "protect", "isolate-network"))
    return (Step(Stop(), after=before, needs=("snapshot", "memory")),)


def _hibernate(options: Options) -> tuple[Step, ...]:
    """Once all is done that needs it running; out of its fleet, which replaces what is stopped."""
    if not options.hibernate:
        return ()
    running = ("record", "volatile", "memory", "host-firewall", "isolate-network")
    return (Step(Hibernate(), after=dict.fromkeys((*running, "protect", "leave-fleet"))),)


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
    """After hibernation, which puts memory on the root volume."""
    if not options.snapshot:
        return ()
    return (Step(TakeSnapshots(), after={"hibernate": None}), *snapshots.steps(options))
