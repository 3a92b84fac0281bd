"""Closes what a run that died in its dwell left open to everything: the next command does it first.

Whoever killed that run, power or credentials, nobody else will do it (`docs/isolation.md` says how
to have AWS do it). It is found in the record alone, so it costs nothing when there is nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from responders.actions.isolate_network import IsolateNetwork
from responders.aws import Access, Aws, explain
from responders.errors import BadInput
from responders.host.interface_groups import UNTRACK, groups_of
from responders.json_values import Json
from responders.record.case import Case
from responders.respond import Request, respond
from responders.result import reason_of
from responders.runner import Listener
from responders.scene import InstanceGone, Scene

COMMAND = "close opening"


@dataclass(frozen=True)
class PossibleOpening:
    """An instance whose interfaces were opened, with no word that they were closed again."""

    instance: str
    region: str
    untrack_groups: Mapping[str, str]
    """Interface to the group that lets everything through."""


def possible_openings(case: Case) -> list[PossibleOpening]:
    """From the record: each begins with the intention to open, and ends when isolation held."""
    openings: dict[str, PossibleOpening] = {}
    for run in case.runs():
        for entry in run.entries:
            target, region = str(run.begin.get("target")), str(run.begin.get("region"))
            if entry.kind == "intend" and entry.step in (UNTRACK, IsolateNetwork.name):
                if groups := dict(_untrack_groups(entry.body["seen"])):
                    openings[target] = PossibleOpening(target, region, groups)
            elif entry.step == IsolateNetwork.name and _is_closed(entry.kind, entry.body):
                openings.pop(target, None)
    return list(openings.values())


def _untrack_groups(states: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for eni, state in states.items():
        if group := state.get("untrack"):
            yield eni, str(group)


def _is_closed(kind: str, body: Mapping[str, Json]) -> bool:
    return kind == "undone" or (kind == "result" and body.get("status") in ("done", "already"))


def close_openings(
    access: Access, case_id: str, responder: str, listener: Listener = lambda _report: None
) -> list[str]:
    """Isolates them, each as a run of its own; a line for each that is or may still be open.

    One that another process holds open at this moment is that process's to close.
    """
    lines = []
    for opening in possible_openings(Case(case_id)):
        there = dataclasses.replace(access, region=opening.region)
        try:
            if not _is_open(Aws(there, case=case_id, read_only=True), opening):
                continue
            request = Request(COMMAND, opening.instance, case_id, responder, there)
            report = respond(request, listener)
        except BadInput:
            continue
        except Exception as error:
            lines.append(f"{opening.instance} MAY BE OPEN TO EVERYTHING: {explain(error)}")
        else:
            lines += [
                f"{opening.instance} IS OPEN TO EVERYTHING: {reason_of(step.result)}"
                for step in report.steps
                if step.name == IsolateNetwork.name and report.outcome == "not-contained"
            ]
    return lines


def _is_open(aws: Aws, opening: PossibleOpening) -> bool:
    try:
        groups = groups_of(Scene(aws, opening.region, opening.instance))
    except InstanceGone:
        return False
    return any(groups.get(eni) == [group] for eni, group in opening.untrack_groups.items())
