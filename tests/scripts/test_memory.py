"""The memory capture, run against fakes of the AWS CLI, AVML, insmod and the kernel's files."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import socket
from pathlib import Path

import pytest

from contract import AVML_TOOLS, Document, ScriptExit, lime_tool, tool_key
from tests.scripts.conftest import Host, Ran
from tests.scripts.fake_aws import AWS

KEY = "cases/IR-7/run-1/evidence/memory/i-0abc.lime"
KERNEL = platform.release()
AVML = AVML_TOOLS["x86_64"]
LIME = lime_tool(KERNEL)
MEMORY = 256 * 1024

# The vault: a folder of objects. Writes that match DENY fail, as without the permission.

TOOL = """#!/bin/bash
if [ "$1" = --help ]; then printf 'Usage: avml [OPTIONS] FILENAME\\n'; exit; fi
printf '%s %s\\n' "${0##*/}" "$*" >>"$STATE/ran"
cat "$STATE/image" >"${!#}"
exit "${AVML_EXIT:-0}"
"""

INSMOD = """
import os, pathlib, re, socket, sys, time
state = pathlib.Path(os.environ["STATE"])
(state / "ran").open("a").write("lime " + " ".join(sys.argv[2:]) + "\\n")
if os.environ.get("INSMOD_FAILS"):
    sys.exit("insmod: ERROR: could not insert module: Key was rejected by service")
port = int(re.search(r"tcp:(\\d+)", sys.argv[2]).group(1))
with socket.create_server(("127.0.0.1", port)) as server:
    server.settimeout(20)
    peer, _ = server.accept()
    with peer:
        peer.sendall((state / "lime-image").read_bytes())
"""


def image(size: int, banner: bytes = b"Linux version 5.10.0-test (gcc) #1 SMP") -> bytes:
    """A capture of that many bytes, in the LiME format, half of it not zero."""
    head = b"EMiL\x01\0\0\0" + bytes(24) + b"\0" + banner + b"\n\0"
    return head + b"\xa5\0" * ((size - len(head)) // 2) + b"\0"


@pytest.fixture
def victim(host: Host) -> Host:
    """A host with the AWS CLI, both capture tools staged in the vault, and a good image."""
    host.fake("aws", AWS, "python")
    host.fake("insmod", INSMOD, "python")
    host.fake("rmmod", "exit 0")
    host.fake("uname", f'case "$1" in -r) echo "{KERNEL}" ;; *) echo x86_64 ;; esac')
    host.write("/proc/meminfo", f"MemTotal:  {MEMORY // 1024} kB\nMemFree: 1 kB\n")
    host.write("/proc/kcore", "")
    host.write("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n")
    (host.state / "image").write_bytes(image(MEMORY + 4096))
    (host.state / "lime-image").write_bytes(image(MEMORY + 8192))
    with socket.create_server(("127.0.0.1", 0)) as free:
        host.environment["CORDON_LIME_PORT"] = str(free.getsockname()[1])
    return host


def stage(host: Host, name: str, data: bytes, digest: str = "") -> str:
    """Puts a tool into the vault; the pair that names it."""
    digest = digest or hashlib.sha256(data).hexdigest()
    path = host.state / "vault" / tool_key(digest, name)
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return f"{name}={digest}"


def capture(host: Host, *tools: str) -> Ran:
    return host.run(
        Document.MEMORY,
        Bucket="example-vault",
        Region="eu-west-1",
        Key=KEY,
        Tools=",".join(tools),
    )


def kept(host: Host) -> Path:
    return host.state / "vault" / KEY


def ran(host: Host) -> list[str]:
    """What was executed as a capture tool."""
    notes = host.state / "ran"
    return notes.read_text().splitlines() if notes.exists() else []


def test_avml_streams_a_checked_capture_to_the_vault(victim: Host) -> None:
    done = capture(victim, stage(victim, LIME, b"a module"), stage(victim, AVML, TOOL.encode()))

    data = (victim.state / "image").read_bytes()
    assert done.code == ScriptExit.DONE
    assert done.report["method"] == "avml"
    assert done.report["size"] == len(data)
    assert done.report["memory"] == MEMORY
    assert done.report["sha256"] == hashlib.sha256(data).hexdigest()
    assert done.report["nonzero"] == len(data) - data.count(0)
    assert done.report["banner"].startswith("Linux version 5.10.0-test")
    assert done.report["kernel"] == KERNEL
    assert kept(victim).read_bytes() == data
    [how] = ran(victim)
    assert how.endswith("--source /proc/kcore /dev/stdout")
    assert victim.called("insmod") == []


def test_every_upload_carries_a_checksum_and_no_credentials(victim: Host) -> None:
    capture(victim, stage(victim, AVML, TOOL.encode()))
    uploads = [c for c in victim.called("aws") if f" s3://example-vault/{KEY}" in c]
    assert len(uploads) == 2
    for call in uploads:
        assert call.startswith("aws --region eu-west-1 ")
        assert "--checksum-algorithm SHA256" in call
        assert "--expected-size" in call or call.find(".began.json") > 0
    began = json.loads(kept(victim).with_name(kept(victim).name + ".began.json").read_text())
    assert began["memory"] == MEMORY


def test_newer_avml_is_called_by_its_subcommand(victim: Host) -> None:
    newer = TOOL.replace("Usage: avml [OPTIONS] FILENAME", "Commands:\\n  acquire  Takes memory")
    done = capture(victim, stage(victim, AVML, newer.encode()))
    assert done.code == ScriptExit.DONE
    [how] = ran(victim)
    assert " acquire --source /proc/kcore /dev/stdout" in how


def test_nothing_is_left_on_the_host(victim: Host) -> None:
    capture(victim, stage(victim, AVML, TOOL.encode()))
    assert victim.leftovers() == []


def test_a_tool_that_is_not_its_digest_never_runs(victim: Host) -> None:
    done = capture(victim, stage(victim, AVML, TOOL.encode(), digest="0" * 64))
    assert done.code == ScriptExit.TAMPERED
    assert "not what its digest says" in done.report["message"]
    assert ran(victim) == []
    assert not kept(victim).exists()
    assert victim.leftovers() == []


def test_a_module_that_is_not_its_digest_is_never_loaded(victim: Host) -> None:
    done = capture(victim, stage(victim, LIME, b"a module", digest="1" * 64))
    assert done.code == ScriptExit.TAMPERED
    assert victim.called("insmod") == []


def test_lime_is_used_for_this_kernel_where_avml_is_not_staged(victim: Host) -> None:
    other = stage(victim, lime_tool("4.4.0-other"), b"another kernel's")
    done = capture(victim, other, stage(victim, LIME, b"a module"))

    assert done.code == ScriptExit.DONE
    assert done.report["method"] == "lime"
    assert kept(victim).read_bytes() == (victim.state / "lime-image").read_bytes()
    [how] = ran(victim)
    assert re.fullmatch(r"lime path=tcp:\d+ format=lime localhostonly=1", how)
    assert victim.called("rmmod") == ["rmmod lime"]


def test_lime_follows_where_avml_fails(victim: Host) -> None:
    victim.environment["AVML_EXIT"] = "1"
    done = capture(victim, stage(victim, LIME, b"a module"), stage(victim, AVML, TOOL.encode()))
    assert done.code == ScriptExit.DONE
    assert done.report["method"] == "lime"
    assert len(ran(victim)) == 2


def test_a_capture_smaller_than_memory_is_a_failure(victim: Host) -> None:
    (victim.state / "image").write_bytes(image(MEMORY - 8192))
    done = capture(victim, stage(victim, AVML, TOOL.encode()))
    assert done.code == ScriptExit.FAILED
    assert f"less than the memory's {MEMORY}" in done.report["message"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"EMiL" + bytes(MEMORY + 4096), "all but zeros"),
        (bytes(MEMORY + 4096), "does not begin as a LiME image"),
        (image(MEMORY + 4096, banner=b"Linux version %s"), "no kernel banner"),
    ],
)
def test_a_hollow_capture_is_a_failure(victim: Host, data: bytes, reason: str) -> None:
    (victim.state / "image").write_bytes(data)
    done = capture(victim, stage(victim, AVML, TOOL.encode()))
    assert done.code == ScriptExit.FAILED
    assert reason in done.report["message"]


def test_a_capture_that_breaks_off_is_a_failure_though_it_was_stored(victim: Host) -> None:
    victim.environment["AVML_EXIT"] = "3"
    done = capture(victim, stage(victim, AVML, TOOL.encode()))
    assert done.code == ScriptExit.FAILED
    assert "broke off" in done.report["message"]


def test_full_lockdown_stops_before_anything_is_touched(victim: Host) -> None:
    victim.write("/sys/kernel/security/lockdown", "none integrity [confidentiality]\n")
    done = capture(victim, stage(victim, AVML, TOOL.encode()))
    assert done.code == ScriptExit.LOCKDOWN
    assert done.report["lockdown"] == "confidentiality"
    assert victim.called("aws") == []
    assert ran(victim) == []


def test_integrity_lockdown_still_lets_avml_read_kcore(victim: Host) -> None:
    victim.write("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
    done = capture(victim, stage(victim, AVML, TOOL.encode()))
    assert done.code == ScriptExit.DONE
    assert done.report["lockdown"] == "integrity"


def test_a_module_refused_by_lockdown_is_named_so(victim: Host) -> None:
    victim.write("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
    victim.environment["INSMOD_FAILS"] = "yes"
    done = capture(victim, stage(victim, LIME, b"a module"))
    assert done.code == ScriptExit.LOCKDOWN
    assert "Key was rejected" in done.report["message"]


def test_no_permission_on_the_vault_stops_before_the_tool_runs(victim: Host) -> None:
    victim.environment["DENY"] = "cases/"
    done = capture(victim, stage(victim, AVML, TOOL.encode()))
    assert done.code == ScriptExit.NO_VAULT
    assert "AccessDenied" in done.report["message"]
    assert ran(victim) == []


def test_an_upload_that_fails_midway_is_a_failure(victim: Host) -> None:
    victim.environment["DENY"] = "lime$"
    done = capture(victim, stage(victim, AVML, TOOL.encode()))
    assert done.code == ScriptExit.FAILED
    assert "vault did not take" in done.report["message"]


def test_a_tool_missing_from_the_vault_is_named(victim: Host) -> None:
    done = capture(victim, f"{AVML}={'2' * 64}")
    assert done.code == ScriptExit.NO_VAULT
    assert f"fetch {AVML}" in done.report["message"]


def test_no_tool_for_this_host_is_unsupported(victim: Host) -> None:
    done = capture(victim, stage(victim, lime_tool("4.4.0-other"), b"a module"))
    assert done.code == ScriptExit.UNSUPPORTED
    assert KERNEL[:20] in done.report["message"]


def test_no_aws_cli_is_unsupported(victim: Host) -> None:
    victim.remove("aws")
    done = capture(victim, stage(victim, AVML, TOOL.encode()))
    assert done.code == ScriptExit.UNSUPPORTED
    assert "AWS CLI" in done.report["message"]


def test_hostile_text_of_the_host_cannot_forge_the_report(victim: Host) -> None:
    victim.fake(
        "uname", """case "$1" in -r) echo 'x","code":0,"y":"`id`' ;; *) echo m68k ;; esac"""
    )
    done = capture(victim, stage(victim, AVML, TOOL.encode()))
    assert done.code == ScriptExit.UNSUPPORTED
    assert done.report["kernel"] == "x_,_code_:0,_y_:__id_"


def test_a_host_without_meminfo_ends_with_a_report(victim: Host) -> None:
    (victim.root / "proc/meminfo").unlink()
    done = capture(victim, stage(victim, AVML, TOOL.encode()))
    assert done.code == ScriptExit.FAILED
    assert "unexpectedly" in done.report["message"]
    assert victim.leftovers() == []
