"""The AWS provider, as far as the program needs it: plain functions over the table of kinds.

`lab.engine.engine` calls it in this process, `lab.plugin` serves it to the Pulumi CLI.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from lab.engine.invokes import INVOKES
from lab.engine.resource import Attributes, Clients, Existing, Kind, New
from lab.engine.table import KINDS


class NotInTheTable(NotImplementedError):
    """The program declares, or asks for, something that the lab can't create or answer yet."""


@dataclass(frozen=True)
class Difference:
    """Names of the inputs that changed, and of those that can't change in place."""

    changed: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    delete_first: bool = False
    """The new resource would have the name of the old one, so the old one goes first."""


@dataclass(frozen=True)
class State:
    """A resource as an engine keeps it. `outputs` hold the inputs too, in wire form."""

    type: str
    name: str
    id: str
    inputs: Attributes
    outputs: Attributes


class Provider:
    """One account. `home` is the region of what names none. Errors of AWS come out as they are."""

    def __init__(self, clients: Clients, home: str) -> None:
        self._clients = clients
        self._home = home

    def invoke(self, token: str, arguments: Mapping[str, object]) -> Attributes:
        """Answers a function."""
        if token not in INVOKES:
            raise NotInTheTable(f"no answer for {token}: add it to lab/engine/invokes.py")
        return INVOKES[token](self._clients, str(arguments.get("region") or self._home), arguments)

    def diff(self, state: State, inputs: Attributes) -> Difference:
        """What differs between a resource as it is known and what is declared now."""
        kind, known = self._kind(state.type), {**state.inputs, **state.outputs}
        changed = sorted(
            key
            for key in {*state.inputs, *inputs}
            # An input that is declared no more is compared with what was declared, because what
            # the provider computed stays among the outputs under the same name.
            if inputs.get(key) != (known if key in inputs else state.inputs).get(key)
        )
        replaces = tuple(key for key in changed if key not in kind.updates)
        named = inputs.get("name") or inputs.get("bucket")
        elsewhere = {"region", "vpcId", "name", "bucket"} & {*replaces}
        return Difference(tuple(changed), replaces, bool(named and not elsewhere))

    def create(self, type_: str, name: str, inputs: Attributes) -> State:
        """Makes it in AWS. `name` is the one in the program."""
        region = str(inputs.get("region") or self._home)
        new = New(name, inputs, region, self._account, self._clients)
        id_, attributes = self._kind(type_).create(new)
        return State(type_, name, id_, inputs, _outputs(inputs, region, attributes))

    def read(self, state: State) -> State | None:
        """The resource as it is now; None when it is gone."""
        observed = self._kind(state.type).look(self._existing(state, state.inputs))
        if observed is None:
            return None
        declared = {key: value for key, value in observed.items() if key in state.inputs}
        inputs, outputs = {**state.inputs, **declared}, {**state.outputs, **observed}
        return State(state.type, state.name, state.id, inputs, outputs)

    def update(self, state: State, inputs: Attributes) -> State:
        """Changes it in place, so that AWS has what is declared now."""
        kind, existing = self._kind(state.type), self._existing(state, inputs)
        # Several inputs may be put by one call, such as both directions of a group's rules.
        for change in {kind.updates[key]: None for key in self.diff(state, inputs).changed}:
            change(existing)
        outputs = {**state.outputs, **inputs, **(kind.look(existing) or {})}
        outputs["tagsAll"] = inputs.get("tags") or {}
        return State(state.type, state.name, state.id, inputs, outputs)

    def delete(self, state: State) -> None:
        """Takes it away; no error when it is gone already."""
        self._kind(state.type).remove(self._existing(state, state.inputs))

    def _existing(self, state: State, inputs: Attributes) -> Existing:
        region = str(state.outputs.get("region") or self._home)
        return Existing(
            state.name,
            inputs,
            region,
            self._account,
            self._clients,
            state.id,
            state.outputs,
            state.inputs,
        )

    @cached_property
    def _account(self) -> str:
        return str(self._clients("sts", self._home).get_caller_identity()["Account"])

    @staticmethod
    def _kind(type_: str) -> Kind:
        if type_ not in KINDS:
            raise NotInTheTable(
                f"no creator for {type_}: add one to the service's file in lab/engine, "
                "which lab/engine/table.py collects"
            )
        return KINDS[type_]


def _outputs(inputs: Attributes, region: str, attributes: Attributes) -> Attributes:
    return {"region": region, "tagsAll": inputs.get("tags") or {}, **inputs, **attributes}
