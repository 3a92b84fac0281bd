"""Runs a Pulumi program against an account and keeps what it made, as Pulumi's engine does.

A later run creates what is new, changes what changed, and deletes what is declared no more. What
the real engine does besides (stacks, locks, secrets at rest, parallel calls) is not done here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pulumi
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs

from lab.engine.provider import Difference, Provider, State
from lab.engine.resource import Attributes, Clients
from lab.program import Program, Registration, run_program

Key = tuple[str, str]
"""A resource's type and its name in the program."""


class Protected(Exception):
    """A resource that is protected would be deleted or replaced."""


class Resources(Protocol):
    """What an engine asks of a provider: `Provider` itself, or one behind gRPC."""

    def invoke(self, token: str, arguments: Mapping[str, object]) -> Attributes: ...
    def diff(self, state: State, inputs: Attributes) -> Difference: ...
    def create(self, type_: str, name: str, inputs: Attributes) -> State: ...
    def read(self, state: State) -> State | None: ...
    def update(self, state: State, inputs: Attributes) -> State: ...
    def delete(self, state: State) -> None: ...


@dataclass
class Changes:
    """What one operation did, or would do: names of resources in the program, in order.

    `retained` are forgotten and stay in AWS; `refused` are protected, and would be deleted.
    """

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    retained: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any((self.created, self.updated, self.replaced, self.deleted, self.retained))


class Engine(pulumi.runtime.Mocks):
    """One stack in one account. `home` is the provider's own region."""

    def __init__(
        self, clients: Clients | None, home: str, provider: Resources | None = None
    ) -> None:
        if provider is None:
            assert clients is not None, "either clients or a provider"  # noqa: S101
            provider = Provider(clients, home)
        self._provider = provider
        self._home = home
        self._states: dict[Key, State] = {}
        self._options: dict[Key, Registration] = {}
        self._begin(dry_run=False)

    def _begin(self, *, dry_run: bool) -> None:
        """Forgets what the operation before did."""
        self.changes = Changes()
        self._dry_run = dry_run
        self._outdated: list[State] = []

    def up(self, program: Path, config: Mapping[str, Any], **options: Any) -> Program:
        """Runs the program; `config` as in `run_program`. Errors of AWS come out as they are.

        `changes` says afterwards what was done. Protected for a resource that is to be deleted and
        may not be; like `pulumi up --skip-preview`, it has created the new ones by then.
        """
        self._begin(dry_run=False)
        program_run = self._run(program, config, options)
        self.settle(program_run)
        return program_run

    def preview(self, program: Path, config: Mapping[str, Any], **options: Any) -> Program:
        """Runs the program as `pulumi preview` does: no call changes AWS, `changes` has the plan.

        What a resource to be created or replaced would have as its id, or as any other attribute
        that AWS decides, is unknown to the program.
        """
        self._begin(dry_run=True)
        program_run = self._run(program, config, {**options, "preview": True})
        self._remove([s for s in self._undeclared(program_run) if self._may_go(s)])
        return program_run

    def refresh(self) -> None:
        """Looks at everything again; forgets what is gone, takes over what was changed."""
        for key, state in list(self._states.items()):
            current = self._provider.read(state)
            if current is None:
                del self._states[key]
            else:
                self._states[key] = current

    def destroy(self, *, exclude_protected: bool = False) -> None:
        """Deletes everything. Protected, and nothing is deleted, while something is protected.

        `exclude_protected` leaves those, and what they depend on, in place and known.
        """
        self._begin(dry_run=False)
        needed = self._needed_by_protected()
        if needed and not exclude_protected:
            raise Protected(f"protected: {', '.join(sorted(name for _, name in needed))}")
        self._remove([s for s in self._states.values() if (s.type, s.name) not in needed])

    @property
    def names(self) -> frozenset[str]:
        """The names, in the program, of what the stack has."""
        return frozenset(name for _, name in self._states)

    # --- what a running program asks ------------------------------------------------------------

    def call(self, args: MockCallArgs) -> Any:
        """Answers an invoke."""
        return self._provider.invoke(args.token, args.args)

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        """Creates a resource, or makes the one of a former run what is declared now."""
        inputs = plain(dict(args.inputs))
        if not args.custom:
            return "", inputs
        state = self._register(args.typ, args.name, inputs)
        if state is None:
            # The engine's answer in a dry run: no id, and nothing but the inputs is known.
            return "", dict(args.inputs)
        # The inputs as they came: what is secret in them stays secret in the outputs.
        return state.id, {**state.outputs, **args.inputs}

    def _register(self, type_: str, name: str, inputs: Attributes) -> State | None:
        """The resource as it is now; None in a dry run, when it would be a new one."""
        key = type_, name
        state = self._states.get(key)
        if state is None:
            self.changes.created.append(name)
            if self._dry_run:
                return None
            self._states[key] = self._provider.create(type_, name, inputs)
            return self._states[key]
        difference = self._provider.diff(state, inputs)
        if difference.replaces:
            return self._replace(state, inputs, difference)
        if difference.changed:
            self.changes.updated.append(name)
            if self._dry_run:
                return State(type_, name, state.id, inputs, {**state.outputs, **inputs})
            self._states[key] = self._provider.update(state, inputs)
        return self._states[key]

    def _replace(self, old: State, inputs: Attributes, difference: Difference) -> State | None:
        key = old.type, old.name
        if not self._may_go(old):
            if self._dry_run:
                return None
            raise Protected(f"{old.name} would be replaced: {', '.join(difference.replaces)}")
        self.changes.replaced.append(old.name)
        if self._dry_run:
            return None
        del self._states[key]  # the new one goes to the end, behind what it depends on
        if difference.delete_first:
            self._delete(old)
        else:
            self._outdated.append(old)
        self._states[key] = self._provider.create(old.type, old.name, inputs)
        return self._states[key]

    # --- what is declared no more ---------------------------------------------------------------

    def settle(self, program: Program) -> None:
        """Ends a run: keeps the options that were declared, deletes what was not declared again."""
        undeclared = self._undeclared(program)
        going = [state for state in undeclared if self._may_go(state)]
        if self.changes.refused:
            raise Protected(f"would be deleted: {', '.join(self.changes.refused)}")
        # Replaced ones go first: what depended on them has been moved to the new ones by now.
        for state in reversed(self._outdated):
            self._delete(state)
        self._remove(going)
        self._options = {(r.type, r.name): r for r in program.registrations if r.custom}

    def _run(self, program: Path, config: Mapping[str, Any], options: dict[str, Any]) -> Program:
        return run_program(program, {"aws:region": self._home, **config}, mocks=self, **options)

    def _undeclared(self, program: Program) -> list[State]:
        declared = {(r.type, r.name) for r in program.registrations}
        return [state for key, state in self._states.items() if key not in declared]

    def _may_go(self, state: State) -> bool:
        """Whether it is not protected; notes it as refused if it is."""
        options = self._options.get((state.type, state.name))
        if options is None or not options.protect:
            return True
        self.changes.refused.append(state.name)
        return False

    def _remove(self, states: list[State]) -> None:
        """Deletes, the last created first, or forgets what is to be retained."""
        for state in reversed(states):
            options = self._options.get((state.type, state.name))
            retained = options is not None and options.retain_on_delete
            (self.changes.retained if retained else self.changes.deleted).append(state.name)
            if not self._dry_run:
                self._delete(state)
                del self._states[state.type, state.name]

    def _delete(self, state: State) -> None:
        options = self._options.get((state.type, state.name))
        if options is None or not options.retain_on_delete:
            self._provider.delete(state)

    def _needed_by_protected(self) -> frozenset[Key]:
        """The protected resources, and all that they depend on, in any number of steps."""
        of_urn = {r.urn: (key, r) for key, r in self._options.items()}
        open_ = [r for r in self._options.values() if r.protect]
        needed: set[Key] = set()
        while open_:
            registration = open_.pop()
            key = registration.type, registration.name
            if key in self._states and key not in needed:
                needed.add(key)
                open_ += [of_urn[u][1] for u in registration.dependencies if u in of_urn]
        return frozenset(needed)


def plain(value: Any) -> Any:
    """Secrets unwrapped, and whole numbers again: protobuf makes 22 a 22.0."""
    if rpc.is_rpc_secret(value):
        return plain(rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
