"""What the kit's documents do on a host of the lab: as their scripts would, without a host.

A script is a function of the host and the command's parameters. It writes to the vault as the host
would, and reports what the real script reports (`components/scripts`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from contract import MOUNT_ROOT, Document, ScriptExit

KERNEL = "6.1.0-lab"
BANNER = f"Linux version {KERNEL} (builder@example) #1 SMP"
MEMORY = 4 * 1024 * 1024
"""Bytes of memory that a host of the lab owns up to: captures are kept in this process."""


@dataclass(frozen=True)
class Host:
    """Where a script runs; `instance` is moto's."""

    account: str
    region: str
    instance: Any
    platform: str

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Writes to a bucket, as the host's own role would."""
        s3: Any = s3_backends[self.account][get_partition(self.region)]
        s3.put_object(bucket, key, data)


@dataclass(frozen=True)
class Ended:
    """How a script ended. `report` is its JSON line, empty when it printed none.

    `status` overrides what Systems Manager makes of the exit code; `looks` is how often the
    command is seen under way before.
    """

    code: int = 0
    report: Mapping[str, Any] = field(default_factory=dict)
    output: str = ""
    status: str = ""
    looks: int = 0


Script = Callable[[Host, Mapping[str, str]], Ended]


def report(document: Document, code: ScriptExit, message: str, **facts: Any) -> Ended:
    """An end as every script reports it."""
    line = {"document": document.value, "code": int(code), "message": message, **facts}
    return Ended(int(code), line)


def capture(size: int = MEMORY) -> bytes:
    """A small LiME image with a kernel's banner in it."""
    data = b"EMiL" + bytes(28) + BANNER.encode() + b"\0"
    return data + b"\x5a" * (size - len(data))


def memory(host: Host, parameters: Mapping[str, str]) -> Ended:
    """A capture in the vault."""
    data = capture()
    host.put(parameters["Bucket"], parameters["Key"], data)
    if host.platform == "Windows":
        method, facts = "winpmem", {}
    else:
        host.put(parameters["Bucket"], f"{parameters['Key']}.began.json", b"{}\n")
        method, facts = "avml", {"lockdown": "none", "banner": BANNER, "nonzero": len(data) - 28}
    return report(
        Document.MEMORY,
        ScriptExit.DONE,
        f"memory captured with {method}",
        kernel=KERNEL,
        memory=MEMORY,
        key=parameters["Key"],
        method=method,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        **facts,
    )


def volatile(host: Host, parameters: Mapping[str, str]) -> Ended:
    """A short account of the host in the vault."""
    data = b"=== processes: ps\n1 init\n"
    host.put(parameters["Bucket"], parameters["Key"], data)
    digest = hashlib.sha256(data).hexdigest()
    return report(
        Document.VOLATILE,
        ScriptExit.DONE,
        "kept in the vault",
        sha256=digest,
        size=len(data),
        key=parameters["Key"],
    )


def host_firewall(host: Host, parameters: Mapping[str, str]) -> Ended:
    """Rules applied, or taken away."""
    done = {"apply": "isolated from the inside", "undo": "the rules were taken away"}
    drift = {"drift": "none"} if parameters["Mode"] == "undo" else {}
    message = done[parameters["Mode"]]
    return report(Document.HOST_FIREWALL, ScriptExit.DONE, message, backend="nft", **drift)


def mount(host: Host, parameters: Mapping[str, str]) -> Ended:
    """One ext4 file system, mounted read-only; or unmounted."""
    if parameters["Mode"] == "umount":
        return report(Document.MOUNT, ScriptExit.DONE, "unmounted")
    volume = parameters["Volume"]
    hashed = parameters.get("Hash") == "yes"
    hashes = {"sha256": hashlib.sha256(volume.encode()).hexdigest()} if hashed else {}
    item = {"name": "xvdf1", "status": "mounted", "detail": f"{MOUNT_ROOT}/{volume}/xvdf1 (ext4)"}
    message = "1 mounted read-only, 0 without a file system"
    return report(
        Document.MOUNT,
        ScriptExit.DONE,
        message,
        disk="/dev/nvme1n1",
        mounted=1,
        items=[item],
        **hashes,
    )


SCRIPTS: dict[str, Script] = {
    Document.MEMORY.value: memory,
    Document.VOLATILE.value: volatile,
    Document.HOST_FIREWALL.value: host_firewall,
    Document.MOUNT.value: mount,
}
"""Name of a document to what its script does, unless a test says otherwise."""
