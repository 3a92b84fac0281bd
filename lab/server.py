"""The mended account as a server on this machine's loopback."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from lab.mended import mend

HOST = "127.0.0.1"
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # noqa: S105, AWS's own example
HOME_REGION = "us-east-1"


@dataclass(frozen=True)
class Server:
    """A running server. `env` is what a program must export to use it instead of AWS."""

    endpoint: str

    @property
    def env(self) -> Mapping[str, str]:
        """Endpoint and credentials, as any AWS SDK reads them."""
        return {"AWS_ENDPOINT_URL": self.endpoint, **credentials_env()}


def credentials_env(region: str = HOME_REGION) -> dict[str, str]:
    """Credentials of the lab's owner, and a region to start from."""
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextmanager
def serve(port: int = 0) -> Iterator[Server]:
    """Serves until the block ends. Port 0 takes a free one; OSError when the port is taken.

    Moto's own `ThreadedMotoServer` waits for ever for a port that is taken.
    """
    mend()
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # half a second per region, for nothing
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with socket.create_server((HOST, port)) as bound:
        server = make_server(
            HOST,
            port,
            DomainDispatcherApplication(create_backend_app),
            threaded=True,
            request_handler=MotoRequestHandler,
            fd=bound.fileno(),
        )
        thread = threading.Thread(target=server.serve_forever, name="moto", daemon=True)
        thread.start()
        try:
            yield Server(f"http://{HOST}:{server.port}")
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
