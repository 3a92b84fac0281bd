"""The lab's engine with everything else behind gRPC, as it is behind the Pulumi CLI.

The provider is a process of its own, found on PATH under the name that the CLI looks for. The
program runs in another one, in the language runtime that ships in the `pulumi` package. This
process is the resource monitor between the two.
"""

from __future__ import annotations

import contextvars
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime import settings
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    language_pb2,
    language_pb2_grpc,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

from lab.engine.engine import Engine
from lab.engine.provider import Difference, State
from lab.engine.resource import Attributes
from lab.plugin.servicer import properties, struct
from lab.plugin.serving import EXECUTABLE, install
from lab.program import Program, Recorder
from lab.project import Project

ROOT = Path(__file__).parents[2]
STACK, PROJECT = "dev", "cordon"


class ProgramFailed(Exception):
    """The program ended with an error; the text is what the engine was told."""


class RemoteProvider:
    """A provider behind gRPC, called as the engine calls it: with URNs and structs."""

    def __init__(self, port: int, configuration: Mapping[str, str]) -> None:
        self.stub = provider_pb2_grpc.ResourceProviderStub(
            grpc.insecure_channel(f"127.0.0.1:{port}")
        )
        arguments = struct(configuration)
        checked = self.stub.CheckConfig(provider_pb2.CheckRequest(news=arguments))
        self.stub.Configure(provider_pb2.ConfigureRequest(args=checked.inputs))

    def invoke(self, token: str, arguments: Mapping[str, object]) -> Attributes:
        request = provider_pb2.InvokeRequest(tok=token, args=struct(arguments))
        return properties(getattr(self.stub.Invoke(request), "return"))

    def diff(self, state: State, inputs: Attributes) -> Difference:
        answer = self.stub.Diff(
            provider_pb2.DiffRequest(
                id=state.id,
                urn=_urn(state.type, state.name),
                olds=struct(state.outputs),
                old_inputs=struct(state.inputs),
                news=struct(self._checked(state.type, state.name, inputs)),
            )
        )
        some = answer.changes == provider_pb2.DiffResponse.DIFF_SOME
        assert some is bool(answer.diffs)
        return Difference(tuple(answer.diffs), tuple(answer.replaces), answer.deleteBeforeReplace)

    def create(self, type_: str, name: str, inputs: Attributes) -> State:
        checked = self._checked(type_, name, inputs)
        answer = self.stub.Create(
            provider_pb2.CreateRequest(urn=_urn(type_, name), properties=struct(checked))
        )
        return State(type_, name, answer.id, checked, properties(answer.properties))

    def read(self, state: State) -> State | None:
        answer = self.stub.Read(
            provider_pb2.ReadRequest(
                id=state.id,
                urn=_urn(state.type, state.name),
                properties=struct(state.outputs),
                inputs=struct(state.inputs),
            )
        )
        if not answer.id:
            return None
        outputs, inputs = properties(answer.properties), properties(answer.inputs)
        return State(state.type, state.name, answer.id, inputs, outputs)

    def update(self, state: State, inputs: Attributes) -> State:
        answer = self.stub.Update(
            provider_pb2.UpdateRequest(
                id=state.id,
                urn=_urn(state.type, state.name),
                olds=struct(state.outputs),
                old_inputs=struct(state.inputs),
                news=struct(inputs),
            )
        )
        return State(state.type, state.name, state.id, inputs, properties(answer.properties))

    def delete(self, state: State) -> None:
        self.stub.Delete(
            provider_pb2.DeleteRequest(
                id=state.id,
                urn=_urn(state.type, state.name),
                properties=struct(state.outputs),
                old_inputs=struct(state.inputs),
            )
        )

    def _checked(self, type_: str, name: str, inputs: Attributes) -> Attributes:
        request = provider_pb2.CheckRequest(urn=_urn(type_, name), news=struct(inputs))
        answer = self.stub.Check(request)
        assert not answer.failures
        return properties(answer.inputs)


def _urn(type_: str, name: str) -> str:
    """As a child of a component has it."""
    return f"urn:pulumi:{STACK}::{PROJECT}::cordon:components:Any${type_}::{name}"


class Monitor(resource_pb2_grpc.ResourceMonitorServicer, engine_pb2_grpc.EngineServicer):
    """The lab's recorder as the engine's two services."""

    def __init__(self, recorder: Recorder, *, preview: bool) -> None:
        self._recorder = recorder
        self.errors: list[str] = []
        self._root = ""
        # The recorder reads the stack's name from the SDK's settings, which each thread has anew.
        self._context = contextvars.copy_context()
        self._context.run(settings.reset_options, PROJECT, STACK, str(ROOT), preview=preview)

    def _record(self, method: str, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return self._context.copy().run(getattr(self._recorder, method), request)
        except Exception as error:
            details = error.details() if isinstance(error, grpc.RpcError) else str(error)
            return context.abort(grpc.StatusCode.UNKNOWN, details)

    def SupportsFeature(self, request: Any, context: Any) -> Any:
        known = request.id in {"secrets", "resourceReferences", "aliasSpecs"}
        return resource_pb2.SupportsFeatureResponse(hasSupport=known)

    def Invoke(self, request: Any, context: Any) -> Any:
        return self._record("Invoke", request, context)

    def RegisterResource(self, request: Any, context: Any) -> Any:
        return self._record("RegisterResource", request, context)

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:
        return self._record("RegisterResourceOutputs", request, context)

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:
        return Empty()

    def Log(self, request: Any, context: Any) -> Any:
        if request.severity == engine_pb2.ERROR:
            self.errors.append(request.message)
        return Empty()

    def GetRootResource(self, request: Any, context: Any) -> Any:
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(self, request: Any, context: Any) -> Any:
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()


class GrpcEngine(Engine):
    """The lab's engine, driving a provider and a language runtime in other processes."""

    def __init__(self, home: str, provider: RemoteProvider, language: Any) -> None:
        super().__init__(None, home, provider)
        self._language = language

    def _run(self, program: Path, config: Mapping[str, Any], options: dict[str, Any]) -> Program:
        preview = bool(options.get("preview"))
        configuration = Project.beside(program, PROJECT).settings(
            {"aws:region": self._home, **config}
        )
        recorder = Recorder(self)
        monitor = Monitor(recorder, preview=preview)
        server = grpc.server(ThreadPoolExecutor(8))
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
        engine_pb2_grpc.add_EngineServicer_to_server(monitor, server)
        address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        try:
            answer = self._language.Run(
                language_pb2.RunRequest(
                    project=PROJECT,
                    stack=STACK,
                    monitor_address=address,
                    args=[address],
                    config=configuration.values,
                    dryRun=preview,
                    parallel=1,
                )
            )
        finally:
            server.stop(grace=1).wait()
        if answer.error or monitor.errors:
            raise ProgramFailed("\n".join([answer.error, *monitor.errors]))
        return recorder.program()


LANGUAGE = """
import os, runpy, sys
from concurrent.futures import ThreadPoolExecutor
import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2_grpc

sys.path.insert(0, os.getcwd())
program = lambda: runpy.run_path("__main__.py", run_name="__main__") and None
server = grpc.server(ThreadPoolExecutor(2))
language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageServer(program), server)
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
server.wait_for_termination()
"""
"""The language runtime of the `pulumi` package, with the program of the working directory."""


@contextmanager
def process(command: list[str], environment: Mapping[str, str]) -> Iterator[int]:
    """A server in a process of its own; the port that it prints first, as Pulumi's plugins do."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, **environment}
    ) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


@contextmanager
def grpc_engine(
    folder: Path, environment: Mapping[str, str], home: str = "us-east-1"
) -> Iterator[GrpcEngine]:
    """An engine whose provider and program run elsewhere. `environment` leads to the lab."""
    install(folder)
    on_path = {**environment, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    with ExitStack() as running:
        # The first argument of every plugin is the engine's address; this one does not use it.
        plugin = ["/usr/bin/env", EXECUTABLE, "127.0.0.1:1"]
        plugin_port = running.enter_context(process(plugin, on_path))
        language_port = running.enter_context(process([sys.executable, "-c", LANGUAGE], {}))
        provider = RemoteProvider(plugin_port, {"region": home})
        channel = running.enter_context(grpc.insecure_channel(f"127.0.0.1:{language_port}"))
        yield GrpcEngine(home, provider, language_pb2_grpc.LanguageRuntimeStub(channel))
