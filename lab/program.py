"""Runs a Pulumi program in this process, with no engine and no provider, and records it.

What the engine does and mocks don't is done here: URNs by the engine's rule, duplicate URNs
refused, configuration defaults of `Pulumi.yaml` applied. What answers the program is a
`pulumi.runtime.Mocks`: `lab.plain.PlainMocks` for tests, `lab.engine` for a real (moto) account.
"""

from __future__ import annotations

import asyncio
import contextvars
import runpy
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

import pulumi
from pulumi.runtime import mocks as pulumi_mocks
from pulumi.runtime import rpc, settings
from pulumi.runtime.config import set_all_config
from pulumi.runtime.stack import run_in_stack

from lab.project import Project

STACK = "pulumi:pulumi:Stack"


class DuplicateUrn(Exception):
    """Two resources of one program have the same type, parent type and name."""


@dataclass(frozen=True)
class Source:
    """Where in the program a resource was declared; `line` counts from 1."""

    file: Path
    line: int


@dataclass(frozen=True)
class Registration:
    """One `RegisterResource` request, and what was answered.

    `inputs` and `outputs` are in wire form (camelCase), secrets unwrapped; `secret_inputs` names
    the top-level inputs that were secret. `parent` and dependencies are URNs. `outputs` of a
    component are those it registered; of a resource, what the mocks returned. In a preview a
    value not yet known is a `pulumi.output.Unknown`.
    """

    urn: str
    type: str
    name: str
    custom: bool
    parent: str
    inputs: Mapping[str, Any]
    secret_inputs: frozenset[str]
    id: str
    outputs: Mapping[str, Any]
    dependencies: tuple[str, ...]
    property_dependencies: Mapping[str, tuple[str, ...]]
    protect: bool
    retain_on_delete: bool
    ignore_changes: tuple[str, ...]
    replace_on_changes: tuple[str, ...]
    delete_before_replace: bool
    aliases: tuple[str, ...]
    additional_secret_outputs: tuple[str, ...]
    provider: str
    version: str
    source: Source | None


@dataclass(frozen=True)
class Program:
    """Everything one run of a program declared, in order of registration."""

    registrations: tuple[Registration, ...]
    exports: Mapping[str, Any] = field(default_factory=dict)
    secret_exports: frozenset[str] = frozenset()

    def of_type(self, token: str) -> tuple[Registration, ...]:
        """All registrations of one type token, such as `aws:kms/key:Key`."""
        return tuple(r for r in self.registrations if r.type == token)

    def named(self, name: str) -> Registration:
        """The one registration with this name; LookupError if there are none or several."""
        same_name = [r for r in self.registrations if r.name == name]
        if len(same_name) != 1:
            raise LookupError(f"{len(same_name)} registrations are named {name!r}")
        return same_name[0]

    def children(self, urn: str) -> tuple[Registration, ...]:
        """All registrations whose parent is this URN."""
        return tuple(r for r in self.registrations if r.parent == urn)


def run_program(
    program: Path,
    config: Mapping[str, Any] | None = None,
    *,
    mocks: pulumi.runtime.Mocks,
    project: str = "cordon",
    stack: str = "dev",
    preview: bool = False,
) -> Program:
    """Runs `program` as the main module and returns what it registered.

    `config` keys are `key` (of the project) or `namespace:key`; values are text or anything JSON
    has. An error raised by the program, or by the mocks, comes out as it is. Runs are independent
    of each other; call it from a thread that runs no event loop.
    """
    path = program.resolve()
    configuration = Project.beside(path, project).settings(config or {})
    monitor = Recorder(mocks)

    def go() -> None:
        settings.reset_options(project, stack, str(path.parent), preview=preview)
        _attach(monitor)
        set_all_config(dict(configuration.values), list(configuration.secret_keys))
        asyncio.get_event_loop().run_until_complete(run_in_stack(lambda: _run_file(path)))

    # The SDK tells the engine of each of its own steps, a quarter of a run's time; nobody listens.
    silent = patch.object(pulumi.log, "debug", lambda *_args, **_options: None)
    with silent, _importable(path.parent), _event_loop():
        contextvars.copy_context().run(go)
    return monitor.program()


def _run_file(path: Path) -> None:
    runpy.run_path(str(path), run_name="__main__")


def _attach(monitor: pulumi_mocks.MockMonitor) -> None:
    """Makes `monitor` what the SDK talks to. (`set_mocks` would also register a stack.)"""
    runtime: Any = settings.SETTINGS
    runtime.monitor = monitor
    runtime.engine = pulumi_mocks.MockEngine(None)


class Recorder(pulumi_mocks.MockMonitor):
    """The mock monitor, keeping the whole of each request."""

    def __init__(self, mocks: pulumi.runtime.Mocks) -> None:
        super().__init__(mocks)
        self._requests: dict[str, Any] = {}
        self._outputs: dict[str, Any] = {}
        self._lock = threading.Lock()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """The engine's rule: all ancestors' types but the stack's, joined by `$`."""
        ancestors = parent.split("::")[2] if parent else STACK
        qualified = type_ if ancestors == STACK else f"{ancestors}${type_}"
        return f"urn:pulumi:{settings.get_stack()}::{settings.get_project()}::{qualified}::{name}"

    def RegisterResource(self, request: Any) -> Any:
        urn = self.make_urn(request.parent, request.type, request.name)
        with self._lock:
            if urn in self._requests:
                raise DuplicateUrn(f"{urn} is registered twice: give one of the two another name")
            self._requests[urn] = request
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]

    def RegisterResourceOutputs(self, request: Any) -> Any:
        self._outputs[request.urn] = request.outputs
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]

    def program(self) -> Program:
        """What was recorded, the stack itself left out."""
        registered = {u: r for u, r in self._requests.items() if r.type != STACK}
        [stack] = self._requests.keys() - registered.keys()
        exports, secret = _properties(self._outputs.get(stack))
        return Program(
            tuple(self._registration(u, r) for u, r in registered.items()), exports, secret
        )

    def _registration(self, urn: str, request: Any) -> Registration:
        inputs, secret = _properties(request.object)
        resource = self.resources[urn]
        outputs = resource.state if request.custom else _properties(self._outputs.get(urn))[0]
        return Registration(
            urn=urn,
            type=request.type,
            name=request.name,
            custom=request.custom,
            parent=request.parent,
            inputs=inputs,
            secret_inputs=secret,
            id=resource.id,
            outputs=outputs,
            dependencies=tuple(sorted(request.dependencies)),
            property_dependencies={
                key: tuple(sorted(value.urns))
                for key, value in sorted(request.propertyDependencies.items())
            },
            protect=request.protect,
            retain_on_delete=request.retainOnDelete,
            ignore_changes=tuple(request.ignoreChanges),
            replace_on_changes=tuple(request.replaceOnChanges),
            delete_before_replace=request.deleteBeforeReplace,
            aliases=tuple(a.urn or a.spec.name for a in request.aliases),
            additional_secret_outputs=tuple(request.additionalSecretOutputs),
            provider=request.provider,
            version=request.version,
            source=_source(request.sourcePosition),
        )


def _properties(struct: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """A protobuf struct as plain values, and the names of those that were secret."""
    if struct is None:
        return {}, frozenset()
    wrapped = rpc.deserialize_properties(struct, keep_unknowns=True)
    secret = frozenset(key for key, value in wrapped.items() if rpc.is_rpc_secret(value))
    return {key: rpc.unwrap_rpc_secret(value) for key, value in wrapped.items()}, secret


def _source(position: Any) -> Source | None:
    if not position.uri:
        return None
    return Source(Path(unquote(urlsplit(position.uri).path)), position.line)


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Pulumi runs a program with its own folder first on the module search path."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


@contextmanager
def _event_loop() -> Iterator[None]:
    """A loop for one run. One worker, so that requests arrive in the order they were made."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(1, thread_name_prefix="pulumi"))
    # An error that ends the run is raised once; asyncio would also print every future it broke.
    loop.set_exception_handler(lambda _loop, _context: None)
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        asyncio.set_event_loop(None)
