"""The record: one changed byte, a missing entry, a reordered one are each found."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from responders.errors import JournalError
from responders.record import journal
from responders.record.journal import GENESIS, Chain, Journal, canonical, sha256


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder with five entries."""
    record = Journal(tmp_path / "journal", case="IR-7", run="r1")
    for number in range(5):
        record.append("result", f"step-{number}", status="done")
    return record.folder


def chain(folder: Path) -> Chain:
    return journal.examine(journal.read_files(folder), case="IR-7", run="r1")


def faults(folder: Path) -> list[str]:
    return chain(folder).faults


def test_a_whole_chain_is_proven(written: Path) -> None:
    assert faults(written) == []
    bodies = [json.loads((written / f"{n}.json").read_bytes()) for n in range(1, 6)]
    assert [b["number"] for b in bodies] == [1, 2, 3, 4, 5]
    assert bodies[0]["previous"] == GENESIS
    assert bodies[1]["previous"] == sha256((written / "1.json").read_bytes())
    assert all(b["at"].endswith("Z") for b in bodies)


@pytest.mark.parametrize("number", [1, 3, 5])
def test_one_changed_byte_is_found(written: Path, number: int) -> None:
    path = written / f"{number}.json"
    path.write_bytes(path.read_bytes().replace(b'"done"', b'"dono"'))
    told = faults(written)
    if number < 5:
        assert any(f"entry {number + 1} does not follow" in line for line in told)
    else:
        # Nothing follows the last entry: the vault's copy and the run's end tell it.
        assert chain(written).entries[-1].body["status"] == "dono"


def test_a_missing_entry_is_found(written: Path) -> None:
    (written / "3.json").unlink()
    assert any("entry 3 is missing" in line for line in faults(written))


def test_reordered_entries_are_found(written: Path) -> None:
    two, three = (written / "2.json").read_bytes(), (written / "3.json").read_bytes()
    (written / "2.json").write_bytes(three)
    (written / "3.json").write_bytes(two)
    told = " ".join(faults(written))
    assert "entry 2 is another entry" in told
    assert "entry 3 is another entry" in told


def test_a_rewritten_form_is_found(written: Path) -> None:
    path = written / "5.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()), indent=1))
    assert any("entry 5 was rewritten" in line for line in faults(written))


def test_threads_make_one_chain(tmp_path: Path) -> None:
    record = Journal(tmp_path / "journal", case="IR-7", run="r1")
    threads = [
        threading.Thread(target=lambda: [record.append("result", "s") for _ in range(20)])
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(record.entries) == 100
    assert faults(record.folder) == []


def test_a_record_goes_on_where_it_stopped(written: Path) -> None:
    (written / "6.json.partial").write_bytes(b'{"half')
    again = Journal(written, case="IR-7", run="r1")
    assert again.append("end").number == 6
    (written / "6.json.partial").unlink(missing_ok=True)
    assert faults(written) == []


def test_what_can_not_be_written_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal, "write_durably", full)
    record = Journal(tmp_path / "journal", case="IR-7", run="r1")
    with pytest.raises(JournalError, match="No space left"):
        record.append("intend", "isolate-network")
    assert record.entries == []


def test_canonical_form_is_one_form() -> None:
    assert canonical({"b": 1, "a": "é"}) == '{"a":"é","b":1}'.encode()
    with pytest.raises(ValueError, match="Out of range"):
        canonical({"x": float("nan")})


BAD = {
    "garbage": b"\x00\xff{",
    "no object": b"[]",
    "nested": b'{"a":' * 200 + b"1" + b"}" * 200,
    "nested beyond the parser": b"[" * 200_000,
    "a long number": b'{"number":' + b"9" * 5000 + b"}",
    "a big number": b'{"number":1e999}',
    "no number": b'{"number":NaN}',
    "huge": b'"' + b"x" * (journal.ENTRY_BYTES + 1) + b'"',
    "a lone surrogate": b'{"at":"2026-01-01T00:00:00Z","kind":"end","number":3,"step":"\\ud800"}',
    "evidence without a name": b'{"kind":"evidence","number":3,"step":""}',
    "evidence elsewhere": b'{"kind":"evidence","name":"../x","number":3,"sha256":"","step":""}',
    "a moment that is none": b'{"at":"yesterday","kind":"end","number":3,"step":""}',
}


@pytest.mark.parametrize("raw", BAD.values(), ids=BAD)
def test_what_is_no_entry_is_named_and_nothing_follows_it(written: Path, raw: bytes) -> None:
    (written / "3.json").write_bytes(raw)
    read = chain(written)
    assert read.broken
    assert any("entry 3 is not readable" in line for line in read.faults)
    assert [entry.number for entry in read.entries] == [1, 2]
    with pytest.raises(JournalError, match="damaged"):
        Journal(written, case="IR-7", run="r1")


def test_what_is_no_plain_file_is_not_read(written: Path) -> None:
    for number, make in ((2, os.mkfifo), (3, os.mkdir)):
        (written / f"{number}.json").unlink()
        make(written / f"{number}.json")
    (written / "4.json").unlink()
    (written / "4.json").symlink_to(written / "1.json")
    lines = " ".join(faults(written))
    assert all(f"entry {number} is not readable" in lines for number in (2, 3, 4))


@pytest.mark.parametrize(
    "name", ["99999999999999999999.json", "0.json", "03.json", "\u0663.json", "\x1b[31m.json", "x"]
)
def test_a_name_that_no_entry_has_breaks_nothing(written: Path, name: str) -> None:
    (written / name).write_bytes(b"{}")
    read = chain(written)
    assert read.faults == [f"journal/{name} does not belong here"]
    assert (len(read.entries), read.broken) == (5, False)


def test_a_gap_is_told_in_one_line(written: Path) -> None:
    (written / "5.json").rename(written / "99999.json")
    assert faults(written)[0] == "entries 5 to 99998 are missing"


def test_an_entry_is_never_replaced(written: Path) -> None:
    one, other = (Journal(written, case="IR-7", run="r1") for _ in range(2))
    raw = one.append("end").raw
    with pytest.raises(JournalError, match="never replaced"):
        other.append("end", outcome="forged")
    assert (written / "6.json").read_bytes() == raw
    assert [p.name for p in written.iterdir() if "partial" in p.name] == []
