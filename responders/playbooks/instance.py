"""The instance playbook: contain first, evidence beside it, nothing destroyed.

The network waits only for the Auto Scaling step (at most 5 s) and for the groups to be verified;
with `evidence_first` also for memory, at most until the deadline. What is asked of the host itself
starts at once, because isolation cuts the way to it: the dwell of `convert` is what it has.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from responders.actions.deny_subnet import DenySubnet
from responders.actions.disable_metadata import DisableMetadata
from responders.actions.drop_addresses import DropAddresses
from responders.actions.dwell import Dwell
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
from responders.actions.untrack import Untrack
from responders.actions.verify_preparation import VerifyPreparation
from responders.actions.volatile import CollectVolatile
from responders.aws import Aws
from responders.graph import Step, Waits
from responders.host.interface_groups import Opening
from responders.json_values import Json
from responders.locate import Located, locate
from responders.other_case import other_holder, refuse_if_held
from responders.playbook import Options, Playbook
from responders.playbooks import snapshots
from responders.playbooks.snapshots import SnapshotOptions
from responders.record.case import Case
from responders.scene import Scene

FLEET_WAIT = 5.0
"""Seconds that isolation waits for the instance to leave its Auto Scaling group."""
HEAD_START = 1.0
"""Seconds that all other steps leave to the way to a closed network, or less if it is closed."""
PATH = (
    LeaveFleet,
    PrepareGroups,
    Untrack,
    Dwell,
    IsolateNetwork,
    CollectVolatile,
    CaptureMemory,
    HostFirewall,
)
"""What isolation waits for, or must come before it."""
EVIDENCE: Waits = dict.fromkeys((Record, CollectVolatile, CaptureMemory, HostFirewall))
"""What looks at the metadata service, or needs it: it is turned off after these."""


@dataclass(frozen=True)
class InstanceOptions(Options):
    """What the user chose for an instance; times are seconds, `lock_days` days."""

    tracking: str = "direct"
    dwell: float = 60.0
    evidence_first: bool = False
    deadline: float = 300.0
    memory: bool = False
    hibernate: bool = False
    host_firewall: bool = False
    stop: bool = False
    stop_protected: bool = False
    snapshot: bool = True
    lock_mode: str = "governance"
    lock_days: int = 365
    copy: bool = True
    detach: bool = True
    replace: bool = True
    nacl: tuple[str, ...] = ()
    isolated_profile: str = "dark"
    role_wide: bool = False
    keep_imds: bool = False

    @property
    def of_snapshots(self) -> SnapshotOptions:
        """What concerns the snapshots."""
        return SnapshotOptions(self.lock_mode, self.lock_days, self.copy)

    @property
    def keeps_channel(self) -> bool:
        """Whether the agent goes on to talk to Systems Manager, with a profile made for that."""
        return self.isolated_profile == "channel"


class InstancePlaybook(Playbook[Scene, InstanceOptions]):
    """An EC2 instance."""

    options = InstanceOptions
    is_released = True

    def locate(self, aws: Aws, target: str, region: str | None) -> Located[Scene]:
        """Finds the instance by its id or an address, in one region or in all."""
        return locate(aws, target, region)

    def recorded(self, aws: Aws, begin: Mapping[str, Json]) -> Located[Scene]:
        """The instance of that run; it may be gone by now."""
        region, instance = str(begin["region"]), str(begin["target"])
        return Located(region, instance, Scene(aws, region, instance), str(begin["account"]))

    def check_release(self, located: Located[Scene], case: Case) -> None:
        """Refuses while another case holds the instance too."""
        refuse_if_held(located.subject, case.id)

    def other_holder(self, subject: Scene, case: str) -> str:
        """By the instance's tags."""
        return other_holder(subject, case)

    def steps(self, options: InstanceOptions) -> tuple[Step[Scene], ...]:
        """The graph, in the order in which release undoes it backwards."""
        return tuple(_behind_the_network(step) for step in _graph(options))


def _behind_the_network(step: Step[Scene]) -> Step[Scene]:
    """Whatever the network doesn't wait for gives it a head start: both need the processor."""
    if isinstance(step.action, PATH):
        return step
    return dataclasses.replace(step, after={IsolateNetwork: HEAD_START, **step.after})


def _graph(options: InstanceOptions) -> tuple[Step[Scene], ...]:
    first, cut_off = memory_first(options), _host_first(options)
    return (
        Step(Record()),
        Step(VerifyPreparation()),
        *_from_the_host(options),
        Step(Protect()),
        # Before the network: the group would replace an instance that fails its health checks.
        Step(LeaveFleet(detach=options.detach, replaced=options.replace)),
        Step(PrepareGroups(untrack=options.tracking == "convert")),
        # Before isolation here, so after it on release: a balancer only takes back what answers.
        Step(LeaveLoadBalancers()),
        *_isolation(options),
        *((Step(DenySubnet(options.nacl), after=first),) if options.nacl else ()),
        Step(Tag()),
        *_hibernate(options),
        *_stop(options),
        Step(DropAddresses(), after=cut_off, recheck=True),
        Step(SwapProfile(options.isolated_profile), after=cut_off),
        # Until the profile is gone, the host gets new sessions: revoked earlier, they would escape.
        Step(RevokeSessions(role_wide=options.role_wide), after={SwapProfile: None}),
        *_disable_metadata(options),
        Step(TellResidualRisks()),
        *_snapshots(options),
    )


def _isolation(options: InstanceOptions) -> tuple[Step[Scene], ...]:
    """`convert` opens, dwells and isolates: whatever happens in between, isolation follows."""
    before: Waits = {
        LeaveFleet: FLEET_WAIT,
        PrepareGroups: None,
        **memory_first(options),
        **_firewall(options),
    }
    if options.tracking == "direct":
        return (Step(IsolateNetwork(), after=before, recheck=True),)
    opening = Opening()
    return (
        Step(Untrack(opening, options.dwell), after=before),
        Step(Dwell(opening, options.dwell), after={Untrack: None}, closes=Untrack),
        Step(
            IsolateNetwork(opening),
            after={**before, Untrack: None, Dwell: None},
            recheck=True,
            closes=Untrack,
        ),
    )


def _host_first(options: InstanceOptions) -> Waits:
    """What else cuts the agent off waits so, where something is asked of it.

    With contain-first the agent has until the network is closed, which ends its way anyway.
    """
    if not (options.memory or options.host_firewall):
        return {}
    if options.evidence_first:
        return {**memory_first(options), **_firewall(options)}
    return {IsolateNetwork: None}


def _firewall(options: InstanceOptions) -> Waits:
    """It comes after memory and needs the agent's way too: within the same deadline."""
    return {HostFirewall: options.deadline} if options.evidence_first else {}


def _stop(options: InstanceOptions) -> tuple[Step[Scene], ...]:
    """Last of all that happens to the instance, and never without its evidence."""
    if not options.stop:
        return ()
    before = dict.fromkeys((Record, HostFirewall, Protect, IsolateNetwork))
    return (Step(Stop(options.stop_protected), after=before, needs=(TakeSnapshots, CaptureMemory)),)


def _hibernate(options: InstanceOptions) -> tuple[Step[Scene], ...]:
    """Once all is done that needs it running; out of its fleet, which replaces what is stopped."""
    if not options.hibernate:
        return ()
    running = (Record, CollectVolatile, CaptureMemory, HostFirewall, IsolateNetwork)
    return (
        Step(
            Hibernate(options.stop_protected), after=dict.fromkeys((*running, Protect, LeaveFleet))
        ),
    )


def memory_first(options: InstanceOptions) -> Waits:
    """What cuts the way from the host to the vault waits so: for `Step.after`."""
    first = options.evidence_first
    return dict.fromkeys((CaptureMemory, CollectVolatile), options.deadline) if first else {}


def _from_the_host(options: InstanceOptions) -> tuple[Step[Scene], ...]:
    """Before isolation in this order, so that release comes to the host after the network."""
    steps: tuple[Step[Scene], ...] = ()
    if options.memory:
        steps += (
            Step(CollectVolatile()),
            Step(CaptureMemory(deadline=options.deadline if options.evidence_first else None)),
        )
    if options.host_firewall:
        steps += (Step(HostFirewall(channel=options.keeps_channel), after=memory_first(options)),)
    return steps


def _snapshots(options: InstanceOptions) -> tuple[Step[Scene], ...]:
    """After hibernation, which puts memory on the root volume."""
    if not options.snapshot:
        return ()
    return (
        Step(TakeSnapshots(), after={Hibernate: None}),
        *snapshots.PLAYBOOK.steps(options.of_snapshots),
    )


def _disable_metadata(options: InstanceOptions) -> tuple[Step[Scene], ...]:
    if options.keep_imds:
        return ()
    return (Step(DisableMetadata(keeps_agent=options.keeps_channel), after=EVIDENCE),)


PLAYBOOK = InstancePlaybook()
