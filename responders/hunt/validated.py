"""A trail that is read and then compared with what CloudTrail signed: `hunt --validate`."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from responders.aws import Aws, explain
from responders.hunt import unread
from responders.hunt.lead import Lead
from responders.hunt.scan.source import TrailScan
from responders.hunt.source import Conclusion, Page, Window
from responders.hunt.validation import DigestStore, Validation, public_keys, validate


class Validated:
    """A scan whose conclusion says which hours are missing or altered."""

    def __init__(
        self, aws: Aws, scan: TrailScan, digests: DigestStore, stop: threading.Event
    ) -> None:
        self.places = scan.places
        self._aws, self._scan, self._digests, self._stop = aws, scan, digests, stop

    def search(self, place: str, leads: Sequence[Lead], window: Window) -> Iterator[Page]:
        """As the scan does it."""
        return self._scan.search(place, leads, window)

    def conclude(self, window: Window) -> Conclusion:
        """What the scan says, and what is not proven; that everything is proven is a note."""
        conclusion = self._scan.conclude(window)
        (place,) = self.places
        if self._stop.is_set():
            conclusion.gaps.append(f"{place}: not validated, because the hunt was interrupted")
            return conclusion
        try:
            keys, failures = public_keys(self._aws, window)
            proof = validate(self._digests, keys, self._scan.hashes, window, self._unread())
        except Exception as error:
            conclusion.gaps.append(f"{place}: not validated: {explain(error)}")
            return conclusion
        gaps = [*failures, *proof.faults]
        conclusion.gaps.extend(f"{place}: {gap}" for gap in gaps)
        conclusion.gaps.extend(unread.gaps(place, proof.altered, "not proven"))
        conclusion.notes.append(_summary(place, proof, is_clean=not gaps and not proof.altered))
        return conclusion

    def _unread(self) -> set[str]:
        return {line.partition(": ")[0] for line in self._scan.trouble}


def _summary(place: str, proof: Validation, *, is_clean: bool) -> str:
    if not is_clean:
        return f"{place}: {proof.objects} objects are as CloudTrail delivered them; see the gaps"
    end = max(end for _, end in proof.covered.values())
    return (
        f"{place}: validated: {proof.objects} objects are as CloudTrail delivered them and none is "
        f"missing, by {proof.digests} signed digests up to {end:%FT%TZ}; what is newer is not "
        "proven yet"
    )
