"""Pulumi's provider protocol (`pulumi/provider.proto`) over `lab.engine.provider`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from ipaddress import ip_address
from typing import Any, NoReturn
from urllib.parse import urlsplit

import boto3
import grpc
from google.protobuf import json_format
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import rpc
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from lab.engine.engine import plain
from lab.engine.provider import Provider, State
from lab.engine.resource import Attributes


class NotTheLab(ValueError):
    """The endpoint is not on this machine, so it is not the lab."""


def require_loopback(endpoint: str) -> None:
    """NotTheLab unless the endpoint's host is this machine: here nothing may reach AWS."""
    host = urlsplit(endpoint).hostname or ""
    try:
        local = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise NotTheLab(
            f"this is the lab's stand-in for the AWS plugin, and AWS_ENDPOINT_URL is {endpoint!r}: "
            "export what `cordon lab serve` prints, or take the stand-in off PATH"
        )


class Plugin(provider_pb2_grpc.ResourceProviderServicer):
    """One provider process. Everything but its configuration fails until it is configured."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._provider: Provider | None = None

    # --- about the plugin -----------------------------------------------------------------------

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """The version of the SDK's package, since the CLI compares the two."""
        return plugin_pb2.PluginInfo(version=version("pulumi-aws"))

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Name and version: the Python SDK carries its types itself."""
        schema = {"name": "aws", "version": version("pulumi-aws")}
        return provider_pb2.GetSchemaResponse(schema=json.dumps(schema))

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Empty:
        """Called instead of a start, where the CLI is told of a running plugin."""
        return Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Empty:
        """No call here takes long enough to be broken off."""
        return Empty()

    # --- configuration --------------------------------------------------------------------------

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Takes every setting of the AWS provider, and heeds region and allowed accounts."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """No setting replaces resources."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Connects to the lab. It may be the lab only, and one of the allowed accounts."""
        settings = properties(request.args)
        endpoint = self._environment.get("AWS_ENDPOINT_URL", "")
        try:
            require_loopback(endpoint)
        except NotTheLab as error:
            _abort(context, grpc.StatusCode.FAILED_PRECONDITION, error)
        home = str(settings.get("region") or self._environment.get("AWS_REGION", ""))
        client = _clients(endpoint)
        self._refuse_other_account(client, home, settings, context)
        self._provider = Provider(client, home)
        # Without support for previews, the CLI takes every output of a new resource as unknown.
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=False)

    @staticmethod
    def _refuse_other_account(
        client: Callable[[str, str], Any],
        home: str,
        settings: Attributes,
        context: grpc.ServicerContext,
    ) -> None:
        allowed = settings.get("allowedAccountIds") or []
        if isinstance(allowed, str):  # the engine sends nested settings as JSON
            allowed = json.loads(allowed)
        account = client("sts", home).get_caller_identity()["Account"]
        if allowed and account not in allowed:
            error = ValueError(f"AWS account ID not allowed: {account}")
            _abort(context, grpc.StatusCode.FAILED_PRECONDITION, error)

    # --- resources and functions ----------------------------------------------------------------

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Takes the inputs as they are; AWS refuses what is wrong with them."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Which inputs differ, and which of them can't change in place."""
        inputs = properties(request.news)
        difference = self._run(context, lambda p: p.diff(_state(request), inputs))
        changed = [key for key in difference.changed if key not in request.ignoreChanges]
        different = provider_pb2.DiffResponse.DIFF_SOME
        return provider_pb2.DiffResponse(
            changes=different if changed else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=changed,
            replaces=[key for key in difference.replaces if key in changed],
            deleteBeforeReplace=difference.delete_first,
        )

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Makes it in the lab."""
        type_, name = _type_and_name(request.urn)
        inputs = properties(request.properties)
        state = self._run(context, lambda p: p.create(type_, name, inputs))
        return provider_pb2.CreateResponse(id=state.id, properties=struct(state.outputs))

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The resource as it is now; no id when it is gone."""
        if not request.properties.fields:
            error = NotImplementedError("the lab's stand-in imports no resource")
            _abort(context, grpc.StatusCode.UNIMPLEMENTED, error)
        state = self._run(context, lambda p: p.read(_state(request)))
        if state is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=state.id, properties=struct(state.outputs), inputs=struct(state.inputs)
        )

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Changes it in place."""
        inputs = properties(request.news)
        state = self._run(context, lambda p: p.update(_state(request), inputs))
        return provider_pb2.UpdateResponse(properties=struct(state.outputs))

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Empty:
        """Takes it away."""
        self._run(context, lambda p: p.delete(_state(request)))
        return Empty()

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Answers a function."""
        arguments = properties(request.args)
        answer = self._run(context, lambda p: p.invoke(request.tok, arguments))
        return provider_pb2.InvokeResponse(**{"return": struct(answer)})

    def _run(self, context: grpc.ServicerContext, call: Callable[[Provider], Any]) -> Any:
        if self._provider is None:
            error = RuntimeError("the provider is not configured")
            _abort(context, grpc.StatusCode.FAILED_PRECONDITION, error)
        try:
            return call(self._provider)
        except Exception as error:
            # Whatever it is: the CLI shows the text beside the resource, and the process lives on.
            _abort(context, grpc.StatusCode.UNKNOWN, error)


def _clients(endpoint: str) -> Callable[[str, str], Any]:
    """Clients of the lab, each made once."""
    session: Any = boto3.Session()

    @cache
    def client(service: str, region: str) -> Any:
        return session.client(service, region_name=region, endpoint_url=endpoint)

    return client


def _state(request: Any) -> State:
    """The resource that a request is about. Old engines send no inputs apart from the outputs."""
    type_, name = _type_and_name(request.urn)
    fields = request.DESCRIPTOR.fields_by_name
    outputs = properties(request.olds if "olds" in fields else request.properties)
    inputs = properties(request.inputs if "inputs" in fields else request.old_inputs)
    return State(type_, name, request.id, inputs or outputs, outputs)


def _type_and_name(urn: str) -> tuple[str, str]:
    _, _, qualified_type, name = urn.split("::", 3)
    return qualified_type.rsplit("$", 1)[-1], name


def properties(message: Struct) -> Attributes:
    """A message's properties; numbers without a fraction as int, secrets as what they hide."""
    return dict(plain(rpc.deserialize_properties(message, keep_unknowns=True)))


def struct(attributes: Mapping[str, object]) -> Struct:
    """Properties as a message."""
    return json_format.ParseDict(dict(attributes), Struct())


def _abort(context: grpc.ServicerContext, code: grpc.StatusCode, error: Exception) -> NoReturn:
    context.abort(code, str(error))
    raise AssertionError("abort raises")  # for the type checker
