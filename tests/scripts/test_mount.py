"""The read-only mount, run against fakes that keep what a kernel would: disks, flags, mounts."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from contract import MOUNT_ROOT, Document, ScriptExit
from tests.scripts.conftest import Host, Ran

VOLUME = "vol-0123456789abcdef0"
SERIAL = "vol0123456789abcdef0"
BASE = f"{MOUNT_ROOT}/{VOLUME}"

# Disks are lines of `disks`: name, kind, serial or -, mount point or -. Mounts are lines of
# `mounts`: device, target, options. Read-only devices are lines of `readonly`.
FAKES = {
    "lsblk": r"""
        case "$*" in
        "-dnro NAME,SERIAL") awk '$2 == "disk" {print $1, ($3 == "-" ? "" : $3)}' "$STATE/disks" ;;
        "-dnro SERIAL "*)
            awk -v n="${3##*/}" '$1 == n && $3 != "-" {print $3}' "$STATE/disks" ;;
        "-nrpo NAME,TYPE "*)
            awk -v n="${3##*/}" -v d="$CORDON_ROOT/dev/" \
                'index($1, n) == 1 {print d $1, $2}' "$STATE/disks" ;;
        "-nro MOUNTPOINT "*)
            awk -v n="${3##*/}" 'index($1, n) == 1 {print ($4 == "-" ? "" : $4)}' "$STATE/disks"
            while read -r device target _; do
                case ${device##*/} in "${3##*/}"*) echo "${target#"$CORDON_ROOT"}" ;; esac
            done <"$STATE/mounts" ;;
        esac
    """,
    "blockdev": r"""
        case $1 in
        --setro) grep -qx "${2##*/}" "$STATE/stubborn" || echo "$2" >>"$STATE/readonly" ;;
        --getro) if grep -qxF "$2" "$STATE/readonly"; then echo 1; else echo 0; fi ;;
        --getsize64) wc -c <"$2" ;;
        esac
    """,
    "blkid": r"""head -c 64 "${!#}" | sed -n 's/^TYPE=\([A-Za-z0-9_]*\).*/\1/p'""",
    "mount": r"""
        grep -qxF "$5" "$STATE/readonly" || { echo "mounting a writable device" >&2; exit 99; }
        if grep -q BROKEN "$5"; then echo "mount: wrong fs type, bad superblock" >&2; exit 32; fi
        echo "$5 $6 $4" >>"$STATE/mounts"
    """,
    "mountpoint": r"""awk -v t="$2" '$2 == t {found = 1} END {exit !found}' "$STATE/mounts" """,
    "findmnt": r"""awk -v t="$3" '$2 == t {print $3}' "$STATE/mounts" """,
    "umount": r"""
        if [ -e "$STATE/busy" ]; then echo "umount: target is busy" >&2; exit 32; fi
        grep -v " $1 " "$STATE/mounts" >"$STATE/left" || :; cat "$STATE/left" >"$STATE/mounts"
    """,
    "pvs": "echo '  2048'",
    "lvs": 'cat "$STATE/lvs"',
    "dmsetup": r"""
        case $1 in
        create)
            mkdir -p "$CORDON_ROOT/dev/mapper"
            cat "$4" >"$STATE/table-$3"
            echo "TYPE=xfs" >"$CORDON_ROOT/dev/mapper/$3"
            echo "$CORDON_ROOT/dev/mapper/$3" >>"$STATE/readonly" ;;
        remove) rm "$CORDON_ROOT/dev/mapper/$2" ;;
        esac
    """,
}


class Workstation:
    """A workstation and its disks."""

    def __init__(self, host: Host) -> None:
        self.host = host
        for name, body in FAKES.items():
            host.fake(name, body)
        for name in ("disks", "mounts", "readonly", "stubborn", "lvs"):
            (host.state / name).write_text("")
        host.environment["CORDON_TRIES"] = "2"
        host.fake("sleep", "exit 0")
        self.disk("nvme0n1", serial="vol00000000000000001", mounted="/")

    def disk(
        self,
        name: str,
        holds: str = "",
        kind: str = "disk",
        serial: str = "-",
        mounted: str = "-",
    ) -> Path:
        """Attaches a disk or adds a partition; `holds` is its file system, or empty."""
        with (self.host.state / "disks").open("a") as disks:
            disks.write(f"{name} {kind} {serial} {mounted}\n")
        return self.host.write(f"/dev/{name}", f"TYPE={holds}\n" if holds else "")

    def partitions(self, *holds: str) -> None:
        """The volume, with one partition for each file system named."""
        self.disk("nvme1n1", serial=SERIAL)
        for number, each in enumerate(holds, 1):
            self.disk(f"nvme1n1p{number}", each, kind="part")

    def run(self, **parameters: str) -> Ran:
        return self.host.run(Document.MOUNT, Volume=VOLUME, **parameters)

    @property
    def mounts(self) -> list[str]:
        text = (self.host.state / "mounts").read_text()
        return text.replace(str(self.host.root), "").splitlines()


@pytest.fixture
def workstation(host: Host) -> Workstation:
    return Workstation(host)


def statuses(done: Ran) -> dict[str, str]:
    return {item["name"]: item["status"] for item in done.report["items"]}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("ext4", "ro,noexec,nodev,nosuid,noload"),
        ("ext3", "ro,noexec,nodev,nosuid,noload"),
        ("ext2", "ro,noexec,nodev,nosuid"),
        ("xfs", "ro,noexec,nodev,nosuid,norecovery,nouuid"),
        ("btrfs", "ro,noexec,nodev,nosuid,rescue=nologreplay"),
        ("ntfs", "ro,noexec,nodev,nosuid"),
    ],
)
def test_options_leave_the_journal_alone(workstation: Workstation, kind: str, options: str) -> None:
    workstation.partitions(kind)
    done = workstation.run()
    assert done.code == ScriptExit.DONE
    assert workstation.mounts == [f"/dev/nvme1n1p1 {BASE}/nvme1n1p1 {options}"]
    assert done.report["mounted"] == 1


def test_everything_is_read_only_before_anything_is_mounted(workstation: Workstation) -> None:
    workstation.partitions("ext4", "xfs")
    workstation.run()
    calls = [c for c in workstation.host.calls if c.startswith(("blockdev --setro", "mount "))]
    assert [c.split()[:2] for c in calls] == [["blockdev", "--setro"]] * 3 + [["mount", "-t"]] * 2
    assert "blockdev --setro /dev/nvme1n1" in calls


def test_a_disk_that_cannot_be_made_read_only_is_not_mounted(workstation: Workstation) -> None:
    workstation.partitions("ext4")
    (workstation.host.state / "stubborn").write_text("nvme1n1p1\n")
    done = workstation.run()
    assert done.code == ScriptExit.FAILED
    assert "could not be made read-only" in done.report["message"]
    assert workstation.mounts == []


def test_the_volume_is_found_by_its_serial_not_by_its_place(workstation: Workstation) -> None:
    workstation.disk("nvme1n1", "ext4", serial="vol00000000000000002")
    workstation.disk("nvme2n1", "ext4", serial=SERIAL)
    done = workstation.run(Device="/dev/sdf")
    assert done.report["disk"].endswith("/dev/nvme2n1")
    assert workstation.mounts[0].startswith("/dev/nvme2n1 ")


@pytest.mark.parametrize("name", ["xvdf", "sdf"])
def test_a_disk_without_a_serial_is_found_by_its_device_name(
    workstation: Workstation, name: str
) -> None:
    workstation.disk(name, "ext4")
    done = workstation.run(Device="/dev/sdf")
    assert done.code == ScriptExit.DONE
    assert workstation.mounts[0].startswith(f"/dev/{name} ")


def test_a_disk_that_names_another_volume_is_never_taken(workstation: Workstation) -> None:
    workstation.disk("sdf", "ext4", serial="vol00000000000000002")
    done = workstation.run(Device="/dev/sdf")
    assert done.code == ScriptExit.UNSUPPORTED
    assert "attach it first" in done.report["message"]
    assert workstation.mounts == []


def test_a_disk_in_use_is_refused(workstation: Workstation) -> None:
    workstation.disk("nvme1n1", serial=SERIAL)
    workstation.disk("nvme1n1p1", "ext4", kind="part", mounted="/home")
    done = workstation.run()
    assert done.code == ScriptExit.REFUSED
    assert "in use at /home" in done.report["message"]
    assert workstation.host.called("blockdev") == []


def test_the_hash_is_of_the_whole_disk_and_before_mounting(workstation: Workstation) -> None:
    workstation.partitions("ext4")
    disk = workstation.host.write("/dev/nvme1n1", "the whole disk")
    done = workstation.run(Hash="yes")
    assert done.report["sha256"] == hashlib.sha256(disk.read_bytes()).hexdigest()
    assert done.report["bytes"] == len("the whole disk")


def test_no_hash_unless_asked(workstation: Workstation) -> None:
    workstation.partitions("ext4")
    assert "sha256" not in workstation.run().report


def test_a_second_run_mounts_nothing_again_and_takes_no_hash(workstation: Workstation) -> None:
    workstation.partitions("ext4")
    workstation.run()
    done = workstation.run(Hash="yes")
    assert done.code == ScriptExit.DONE
    assert statuses(done) == {"nvme1n1p1": "already"}
    assert "already mounted" in done.report["hash"]
    assert "sha256" not in done.report
    assert len(workstation.host.called("mount ")) == 1


def test_what_is_no_file_system_is_said_and_left(workstation: Workstation) -> None:
    workstation.partitions("ext4", "swap", "crypto_LUKS", "")
    done = workstation.run()
    assert done.code == ScriptExit.DONE
    assert statuses(done) == {
        "nvme1n1p1": "mounted",
        "nvme1n1p2": "skipped",
        "nvme1n1p3": "skipped",
        "nvme1n1p4": "skipped",
    }
    assert len(workstation.mounts) == 1


def test_nothing_to_mount_is_not_a_success(workstation: Workstation) -> None:
    workstation.partitions("swap")
    assert workstation.run().code == ScriptExit.UNSUPPORTED


def test_a_mount_that_fails_is_a_failure_beside_those_that_work(workstation: Workstation) -> None:
    workstation.partitions("ext4", "xfs BROKEN")
    done = workstation.run()
    assert done.code == ScriptExit.FAILED
    assert statuses(done) == {"nvme1n1p1": "mounted", "nvme1n1p2": "failed"}
    assert "bad superblock" in done.report["items"][1]["detail"]
    assert not (workstation.host.root / f"{BASE}/nvme1n1p2".lstrip("/")).exists()


def test_a_mount_that_is_not_read_only_is_taken_away(workstation: Workstation) -> None:
    workstation.partitions("ext4")
    workstation.host.fake("mount", 'echo "$5 $6 rw" >>"$STATE/mounts"')
    done = workstation.run()
    assert done.code == ScriptExit.FAILED
    assert workstation.mounts == []


def test_logical_volumes_are_mapped_read_only_by_their_extents(workstation: Workstation) -> None:
    workstation.partitions("LVM2_member")
    device = workstation.host.root / "dev/nvme1n1p1"
    (workstation.host.state / "lvs").write_text(
        f"  root|linear|0|81920|8192|{device}(4)\n  root|linear|81920|40960|8192|{device}(30)\n"
    )
    done = workstation.run()
    assert done.code == ScriptExit.DONE
    name = f"cordon-{VOLUME}-root"
    assert workstation.mounts == [
        f"/dev/mapper/{name} {BASE}/lv-root ro,noexec,nodev,nosuid,norecovery,nouuid"
    ]
    table = (workstation.host.state / f"table-{name}").read_text()
    assert table.replace(str(device), "DEV") == (
        "0 81920 linear DEV 34816\n81920 40960 linear DEV 247808\n"
    )
    [create] = workstation.host.called("dmsetup create")
    assert "--readonly" in create
    for call in workstation.host.called("lvs") + workstation.host.called("pvs"):
        assert "--readonly" in call
        assert 'filter=["a|^/dev/nvme1n1p1$|","r|.*|"]' in call


def test_a_logical_volume_over_several_disks_is_left_for_the_analyst(
    workstation: Workstation,
) -> None:
    workstation.partitions("LVM2_member")
    device = workstation.host.root / "dev/nvme1n1p1"
    (workstation.host.state / "lvs").write_text(
        f"data|linear|0|8192|8192|{device}(0)\ndata|linear|8192|8192|8192|[unknown](0)\n"
        f"thin|thin|0|8192|8192|\nok|linear|0|8192|8192|{device}(1)\n"
    )
    done = workstation.run()
    assert done.code == ScriptExit.FAILED
    assert statuses(done) == {"lv-data": "failed", "lv-ok": "mounted", "lv-thin": "failed"}


def test_names_made_up_by_a_hostile_disk_go_nowhere(workstation: Workstation) -> None:
    workstation.partitions("LVM2_member")
    (workstation.host.state / "lvs").write_text(
        "../../etc/passwd|linear|0|1|1|x(0)\n..|linear|0|1|1|x(0)\n$(id)|linear|0|1|1|x(0)\n"
    )
    done = workstation.run()
    assert done.code == ScriptExit.UNSUPPORTED
    assert workstation.host.called("dmsetup") == []


def test_unmounting_puts_everything_away_and_may_be_repeated(workstation: Workstation) -> None:
    workstation.partitions("ext4", "LVM2_member")
    device = workstation.host.root / "dev/nvme1n1p2"
    (workstation.host.state / "lvs").write_text(f"root|linear|0|8192|8192|{device}(0)\n")
    workstation.run()
    assert len(workstation.mounts) == 2

    assert workstation.run(Mode="umount").code == ScriptExit.DONE
    assert workstation.mounts == []
    assert list((workstation.host.root / "dev/mapper").iterdir()) == []
    assert list((workstation.host.root / "mnt/cordon").iterdir()) == []
    assert workstation.run(Mode="umount").code == ScriptExit.DONE


def test_a_busy_mount_is_said(workstation: Workstation) -> None:
    workstation.partitions("ext4")
    workstation.run()
    (workstation.host.state / "busy").touch()
    done = workstation.run(Mode="umount")
    assert done.code == ScriptExit.FAILED
    assert "busy" in done.report["message"]
    assert len(workstation.mounts) == 1
