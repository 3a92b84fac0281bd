"""The keys that CloudTrail signed digest files with (CloudTrail API, ListPublicKeys).

Moto lacks the operation. The lab signs with one key of its own, the same in every region, which is
valid at any time.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from lab.gate.answers import answer
from lab.gate.call import Call
from lab.identity import now
from lab.trail.digests import fingerprint, public_key

VALID = timedelta(days=3650)


def mend() -> None:
    """Answers it."""
    answer("cloudtrail", "ListPublicKeys")(_list)


def _list(call: Call) -> dict[str, Any]:
    key = {
        "Value": public_key(),
        "Fingerprint": fingerprint(),
        "ValidityStartTime": now() - VALID,
        "ValidityEndTime": now() + VALID,
    }
    return {"PublicKeyList": [key]}
