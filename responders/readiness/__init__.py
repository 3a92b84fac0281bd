"""Whether a response would find what it needs: one module a check, run in every region at once.

A check is a module with `SCOPE` (`region` or `account`), `PERMISSIONS` and `check(place)`, which
yields findings. A check that could not look is a finding too: nothing checked is not readiness.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import FunctionType

from contract import Manifest, load_unit, unit_names
from responders import prepared
from responders.aws import Aws, Identity, explain
from responders.clients import Clients
from responders.trust.trust import Trust

OK, WARN, FAIL, UNKNOWN = "ok", "warn", "fail", "unknown"
REGION, ACCOUNT = "region", "account"
REFRESH = (
    "Run `pulumi up --refresh`, which puts back what was changed outside Pulumi, and find out who "
    "changed it (CloudTrail)."
)
READ_ACCESS = "Give the caller read access (the responder role has it), and look again."


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `status` is ok, warn, fail or unknown; `fix` says what to do."""

    id: str
    status: str
    detail: str
    fix: str = ""
    vpc: str = ""
    region: str = ""

    def as_json(self) -> dict[str, str]:
        """The finding as the JSON document shows it."""
        return {
            "id": self.id,
            "region": self.region,
            "vpc": self.vpc,
            "status": self.status,
            "detail": self.detail,
            "fix": self.fix,
        }


def grouped(findings: Sequence[Finding]) -> list[tuple[Finding, list[str]]]:
    """Findings that differ in nothing but the region, with all their regions, in order."""
    groups: dict[Finding, list[str]] = {}
    for finding in findings:
        groups.setdefault(replace(finding, region=""), []).append(finding.region)
    return list(groups.items())


@dataclass(frozen=True)
class Place:
    """One region of one account, as a check sees it."""

    aws: Aws
    region: str
    identity: Identity

    @property
    def client(self) -> Clients:
        """The shared client in this region."""
        return self.aws.clients_in(self.region)

    @cached_property
    def manifest(self) -> Manifest | None:
        """The region's manifest, None where there is none; errors go up."""
        return prepared.manifest(self.aws, self.region)

    @property
    def manifest_or_none(self) -> Manifest | None:
        """The same, and None where it is not readable: its own check says so."""
        try:
            return self.manifest
        except ValueError:
            return None

    @property
    def is_prepared(self) -> bool:
        """Whether anything says that the region is prepared: its manifest, or the pin."""
        pinned = self.trust.document is not None and self.region in self.trust.document.regions
        return pinned or self.manifest_or_none is not None

    @cached_property
    def trust(self) -> Trust:
        """What may be believed of the region, by the pin or without one."""
        return Trust(self.aws, self.region)


def checks(scope: str) -> dict[str, FunctionType]:
    """The checks of one scope, by name; each is called with a `Place` and yields findings."""
    package = sys.modules[__name__]
    return {
        name: load_unit(package, name, "check", FunctionType)
        for name in unit_names(package)
        if load_unit(package, name, "SCOPE", str) == scope
    }


def audit(aws: Aws, regions: Sequence[str]) -> list[Finding]:
    """Every check in every region, at once; account-wide checks once, where a vault is known."""
    identity = aws.identity
    places = [Place(aws, region, identity) for region in regions]
    regional = checks(REGION).items()
    futures = [aws.spawn(_look, place, *check) for place in places for check in regional]
    known = [aws.spawn(_knows_a_vault, place) for place in places]
    best = next((p for p, knows in zip(places, known, strict=True) if knows.result()), places[0])
    futures += [aws.spawn(_look, best, *check) for check in checks(ACCOUNT).items()]
    return [finding for future in futures for finding in future.result()]


def _knows_a_vault(place: Place) -> bool:
    try:
        return place.trust.vault() is not None
    except Exception:  # the manifest's own check tells
        return False


def _look(place: Place, name: str, check: Callable[[Place], Iterator[Finding]]) -> list[Finding]:
    try:
        found = list(check(place))
    except Exception as error:
        found = [Finding(name, UNKNOWN, f"could not look: {explain(error)}", READ_ACCESS)]
    return [replace(finding, region=finding.region or place.region) for finding in found]
