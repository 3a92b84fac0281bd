"""The record: one changed byte, a missing entry, a reordered one are each found."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from responders.errors import JournalError
from responders.record import journal
from responders.record.journal import GENESIS, Journal, canonical, sha256


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder with five entries."""
    record = Journal(tmp_path / "journal", case="IR-7", run="r1")
    for number in range(5):
        record.append("result", f"step-{number}", status="done")
    return record.folder


def faults(folder: Path, after: str = GENESIS) -> list[str]:
    files = [(p.name, p.read_bytes()) for p in folder.iterdir()]
    return journal.faults(files, case="IR-7", run="r1", after=after)


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
        assert journal.read(written)[-1].body["status"] == "dono"


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


def test_the_run_before_counts(written: Path) -> None:
    assert any("entry 1 does not follow" in line for line in faults(written, after="f" * 64))


def test_nothing_is_not_proof(tmp_path: Path) -> None:
    assert journal.faults([], case="IR-7", run="r1", after=GENESIS) == ["r1: there is no journal"]


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
