"""What a graph refuses, and that every playbook's graph, whatever its options, is none of that."""

from __future__ import annotations

import itertools
from dataclasses import fields, replace
from typing import Any

import pytest

from contract import load_units
from responders import playbooks
from responders.action import Action
from responders.actions.drop_login import DropLogin
from responders.actions.isolate_network import IsolateNetwork
from responders.actions.memory import CaptureMemory
from responders.actions.prepare_groups import PrepareGroups
from responders.actions.record_identity import RecordIdentity
from responders.actions.snapshot import TakeSnapshots
from responders.actions.stop import Stop
from responders.graph import Graph, Step
from responders.playbook import AnyPlaybook, Options, Playbook, by_command
from responders.playbooks.instance import InstanceOptions
from responders.playbooks.user import UserOptions

PLAYBOOKS = load_units(playbooks, "PLAYBOOK", Playbook)
CHOICES = {
    "tracking": ("convert", "direct"),
    "isolated_profile": ("dark", "channel", "none"),
    "hashing": ("host", "direct"),
    "nacl": ((), ("203.0.113.7/32",)),
    "session": ("", "ci"),
}


class First(Action[Any]):
    name = "first"


class Second(Action[Any]):
    name = "second"


class TestRefused:
    def test_two_steps_of_one_action(self) -> None:
        with pytest.raises(ValueError, match="two steps first"):
            Graph([Step(First()), Step(Second()), Step(First())])

    def test_a_circle(self) -> None:
        with pytest.raises(ValueError, match=r"wait for each other.*first.*second"):
            Graph([Step(First(), after={Second: None}), Step(Second(), needs=(First,))])

    def test_a_step_that_waits_for_itself(self) -> None:
        with pytest.raises(ValueError, match="wait for each other"):
            Graph([Step(First(), after={First: 5.0})])

    @pytest.mark.parametrize("unknown", ["secnod", Action, str, First()])
    def test_what_is_no_action(self, unknown: Any) -> None:
        """A name that no action has, a class that is none, the base class, an object."""
        for step in (Step(First(), after={unknown: None}), Step(First(), needs=(unknown,))):
            with pytest.raises(ValueError, match="no action"):
                Graph([step, Step(Second())])

    def test_an_action_that_options_left_out_is_fine(self) -> None:
        assert len(Graph([Step(First(), after={Second: None})])) == 1


def options_of(playbook: AnyPlaybook) -> list[Options]:
    """Every option by itself in each of its values, and every pair of flags."""
    plain = playbook.options()
    values = {
        f.name: (False, True) if isinstance(f.default, bool) else CHOICES.get(f.name, ())
        for f in fields(playbook.options)
    }
    single = [replace(plain, **{n: v}) for n, vs in values.items() for v in vs]
    flags = [n for n, vs in values.items() if vs == (False, True)]
    pairs = [replace(plain, **{a: True, b: True}) for a, b in itertools.combinations(flags, 2)]
    return [plain, *single, *pairs]


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_every_graph_of_a_playbook_can_come_to_its_end(name: str) -> None:
    playbook = PLAYBOOKS[name]
    for options in options_of(playbook):
        assert Graph(playbook.steps(options)), options


def waits(command: str, options: Options, action: type[Action[Any]]) -> dict[str, float | None]:
    [step] = [s for s in by_command(command).steps(options) if isinstance(s.action, action)]
    return step.waits


def test_what_must_never_come_too_early() -> None:
    """One letter wrong in a name, and each of these would begin at once without a word."""
    everything = InstanceOptions(memory=True, evidence_first=True, stop=True, host_firewall=True)
    assert waits("instance", everything, IsolateNetwork)[PrepareGroups.name] is None
    assert waits("instance", everything, IsolateNetwork)[CaptureMemory.name] == 300
    stop = waits("instance", everything, Stop)
    assert stop[TakeSnapshots.name] is stop[CaptureMemory.name] is None
    assert stop[IsolateNetwork.name] is None
    login = waits("user", UserOptions(delete_login=True), DropLogin)
    assert login == {RecordIdentity.name: None}


def test_a_wait_is_for_an_action_of_the_same_playbook() -> None:
    """With every option on, nobody waits for what no option could bring in."""
    for name, playbook in PLAYBOOKS.items():
        graphs = [playbook.steps(options) for options in options_of(playbook)]
        names = {step.name for graph in graphs for step in graph}
        if name == "snapshots":  # also part of the instance's graph, where the set is taken
            names.add(TakeSnapshots.name)
        for step in itertools.chain(*graphs):
            assert set(step.waits) <= names, (name, step.name)


def test_the_released_playbooks_are_those_that_say_so() -> None:
    released = {name for name, playbook in PLAYBOOKS.items() if playbook.is_released}
    assert released == {"instance", "close_opening", "key", "user", "role"}
