"""The volatile collection: what it asks the host, how much it keeps, and where."""

from __future__ import annotations

import hashlib

import pytest

from contract import Document, ScriptExit
from tests.scripts.conftest import Host, Ran
from tests.scripts.fake_aws import AWS

KEY = "cases/IR-7/run-1/evidence/volatile/i-0abc.txt"


@pytest.fixture
def victim(host: Host) -> Host:
    """A host with some of the commands, and a vault."""
    host.fake("aws", AWS, "python")
    host.fake("ps", "echo '  1 0 0 root /sbin/init'; echo 'evil --token x'")
    host.fake("ss", "echo 'tcp ESTAB 10.0.0.5:22 203.0.113.9:4242'")
    host.fake("who", "echo alice pts/0")
    host.fake("lsmod", "echo 'rootkit 16384 0'")
    host.fake("dmesg", "echo 'not permitted' >&2; exit 1")
    host.write("/proc/mounts", "/dev/root / ext4 rw 0 0\n")
    host.write("/proc/42/comm", "evil")
    (host.root / "proc/42/exe").symlink_to("/tmp/evil (deleted)")
    return host


def collect(host: Host, key: str = KEY) -> Ran:
    return host.run(Document.VOLATILE, Bucket="example-vault", Region="eu-west-1", Key=key)


def test_what_the_host_says_is_kept_in_the_vault(victim: Host) -> None:
    done = collect(victim)
    kept = (victim.state / "vault" / KEY).read_bytes()
    assert done.code == ScriptExit.DONE
    assert done.report["sha256"] == hashlib.sha256(kept).hexdigest()
    assert done.report["size"] == len(kept)
    text = kept.decode()
    for found in (
        "/sbin/init",
        "203.0.113.9:4242",
        "alice pts/0",
        "rootkit",
        "/dev/root / ext4",
        "/proc/42 /tmp/evil (deleted)",
    ):
        assert found in text, found
    [upload] = victim.called("aws")
    assert "--checksum-algorithm SHA256" in upload
    assert victim.leftovers() == []


def test_nothing_of_it_is_printed_when_it_is_kept(victim: Host) -> None:
    done = collect(victim)
    assert "evil" not in done.stdout
    assert len(done.stdout.splitlines()) == 1


def test_missing_and_failing_commands_are_said(victim: Host) -> None:
    collect(victim)
    text = (victim.state / "vault" / KEY).read_text()
    assert "=== containers: docker ps --all --no-trunc\n(not on this host)" in text
    assert "not permitted\n(exit 1)" in text


def test_a_flood_is_cut_and_said(victim: Host) -> None:
    victim.fake("ps", "head -c 2000000 /dev/zero | tr '\\0' x")
    collect(victim)
    text = (victim.state / "vault" / KEY).read_text()
    assert "(cut at 262144 bytes)" in text
    assert len(text) < 600_000


def test_without_a_key_a_bounded_part_is_printed(victim: Host) -> None:
    victim.fake("ps", "head -c 100000 /dev/zero | tr '\\0' x")
    done = collect(victim, key="")
    assert done.code == ScriptExit.DONE
    assert "alice pts/0" in done.stdout
    assert 16_000 < len(done.stdout) < 20_000
    assert victim.called("aws") == []


def test_a_vault_out_of_reach_is_a_failure(victim: Host) -> None:
    victim.environment["DENY"] = "cases/"
    done = collect(victim)
    assert done.code == ScriptExit.NO_VAULT
    assert "AccessDenied" in done.report["message"]
    assert victim.leftovers() == []


def test_no_aws_cli_is_unsupported(victim: Host) -> None:
    victim.remove("aws")
    assert collect(victim).code == ScriptExit.UNSUPPORTED


def test_process_environments_are_never_read(victim: Host) -> None:
    victim.write("/proc/42/environ", "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI\0")
    collect(victim)
    assert "wJalrXUtnFEMI" not in (victim.state / "vault" / KEY).read_text()
    [call] = victim.called("ps")
    assert "-eo" in call
    assert not {"e", "eww", "auxe"} & set(call.split())
