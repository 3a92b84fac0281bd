"""The reviewed exceptions: which failures of which resources are accepted, why, and until when."""

from __future__ import annotations

import datetime
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

from policies.bridge.errors import BridgeError

FILE = Path(__file__).resolve().parent.parent / "waivers.toml"
KEYS = {"check", "address", "reason", "expires"}


class Failure(Protocol):
    """What a waiver may accept: a check, and what failed it."""

    @property
    def check(self) -> str: ...
    @property
    def address(self) -> str: ...


@dataclass(frozen=True)
class Waiver:
    """Accepts failures of `check` on addresses that fit the pattern, through the day `expires`."""

    check: str
    address: str
    reason: str
    expires: datetime.date

    def covers(self, failure: Failure) -> bool:
        """Whether it is about this check and this resource."""
        return failure.check == self.check and fnmatchcase(failure.address, self.address)

    def __str__(self) -> str:
        return f"the waiver of {self.check} for {self.address}"


def read(file: Path = FILE) -> tuple[Waiver, ...]:
    """The waivers of a file; BridgeError when it can't be read or an entry is malformed."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BridgeError(f"{file} can't be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise BridgeError(f"{file} is not TOML: {error}") from error
    if set(data) - {"waiver"}:
        raise BridgeError(f"{file}: only [[waiver]] entries belong there")
    return tuple(_waiver(entry, n, file) for n, entry in enumerate(data.get("waiver", []), 1))


def _waiver(entry: dict[str, object], number: int, file: Path) -> Waiver:
    where = f"{file}, waiver {number}"
    if set(entry) != KEYS:
        wrong = ", ".join(sorted(set(entry) ^ KEYS))
        raise BridgeError(f"{where}: needs check, address, reason and expires; look at {wrong}")
    expires = entry["expires"]
    if not isinstance(expires, datetime.date) or isinstance(expires, datetime.datetime):
        raise BridgeError(f"{where}: expires is a date without quotes, such as 2027-01-31")
    texts = [entry[key] for key in ("check", "address", "reason")]
    if not all(isinstance(text, str) for text in texts):
        raise BridgeError(f"{where}: check, address and reason are texts")
    return Waiver(str(texts[0]), str(texts[1]), str(texts[2]).strip(), expires)
