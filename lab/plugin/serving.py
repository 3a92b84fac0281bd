"""The plugin as a server, and as an executable that the CLI finds."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from lab.plugin.servicer import Plugin

EXECUTABLE = "pulumi-resource-aws"
"""The name under which the CLI looks for the plugin of the provider `aws` on PATH."""
CALLS = 16
"""Calls at a time: the CLI's own default of resources at a time."""
MESSAGE_BYTES = 400 * 1024 * 1024
"""The limit of the CLI's own connections."""


@contextmanager
def serving(environment: Mapping[str, str]) -> Iterator[tuple[int, grpc.Server]]:
    """The plugin at a free port of the loopback, until the block ends."""
    limits = [
        ("grpc.max_receive_message_length", MESSAGE_BYTES),
        ("grpc.max_send_message_length", MESSAGE_BYTES),
    ]
    server = grpc.server(ThreadPoolExecutor(CALLS), options=limits)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Plugin(environment), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port, server
    finally:
        server.stop(grace=None)


def install(folder: Path) -> Path:
    """Writes the executable into a folder, for PATH; its path."""
    file = folder / EXECUTABLE
    file.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m lab.plugin "$@"\n')
    file.chmod(0o755)
    return file
