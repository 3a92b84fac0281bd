"""Runs a Pulumi program against an account and keeps what it made, as an engine keeps its state.

A second run creates only what is new. Changes and deletions are not done: they are errors, since
nothing in the lab needs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs

from lab.engine.invokes import INVOKES
from lab.engine.resource import Clients, New
from lab.engine.table import CREATORS
from lab.program import Program, run_program


class NotInTheTable(NotImplementedError):
    """The program declares, or asks for, something that the lab can't make or answer yet."""


class Engine(pulumi.runtime.Mocks):
    """One stack in one account. `home` is the provider's own region."""

    def __init__(self, clients: Clients, home: str) -> None:
        self._clients = clients
        self._home = home
        self._made: dict[tuple[str, str], tuple[dict[str, Any], str, dict[str, Any]]] = {}

    def up(self, program: Path, config: Mapping[str, Any], **options: Any) -> Program:
        """Runs the program; `config` as in `run_program`. Errors of AWS come out as they are."""
        return run_program(program, {"aws:region": self._home, **config}, mocks=self, **options)

    def call(self, args: MockCallArgs) -> Any:
        """Answers an invoke."""
        if args.token not in INVOKES:
            raise NotInTheTable(f"no answer for {args.token}: add it to lab/engine/invokes.py")
        return INVOKES[args.token](self._clients, args.args.get("region") or self._home, args.args)

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        """Creates a resource, or gives back the one that a former run made."""
        inputs = _plain(dict(args.inputs))
        if not args.custom:
            return "", inputs
        which = args.typ, args.name
        if which not in self._made:
            self._made[which] = (inputs, *self._create(args, inputs))
        made_of, id_, state = self._made[which]
        if made_of != inputs:
            changed = sorted(k for k in {*made_of, *inputs} if made_of.get(k) != inputs.get(k))
            raise NotInTheTable(f"{args.typ} {args.name} would change: {', '.join(changed)}")
        return id_, state

    @cached_property
    def _account(self) -> str:
        return str(self._clients("sts", self._home).get_caller_identity()["Account"])

    def _create(self, args: MockResourceArgs, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        if args.typ not in CREATORS:
            raise NotInTheTable(
                f"no creator for {args.typ}: add one to the service's file in lab/engine, "
                "which lab/engine/table.py collects"
            )
        region = inputs.get("region") or self._home
        new = New(args.name, inputs, region, self._account, self._clients)
        id_, attributes = CREATORS[args.typ](new)
        tags = inputs.get("tags") or {}
        # The inputs as they came: what is secret in them stays secret in the outputs.
        return id_, {"region": region, "tagsAll": tags, **args.inputs, **attributes}


def _plain(value: Any) -> Any:
    """Secrets unwrapped, and whole numbers again: protobuf makes 22 a 22.0."""
    if rpc.is_rpc_secret(value):
        return _plain(rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
