"""What a response may believe of one region, asked once and shared by its steps.

Nothing here is needed to contain: groups are judged by the trust document and by their own rules,
and the manifest is read beside, within a bounded time.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass, replace

from contract import Manifest, Purpose, Rules, TrustDocument, group_rules
from responders.aws import Aws
from responders.trust import isolated_profiles, pin, unpinned
from responders.trust.judgement import Judgement, differences, pinned
from responders.trust.pin import PinDamaged
from responders.trust.survey import Survey, survey
from responders.trust.vault_proof import VaultClaim, VaultNotProven, prove

NOTHING_PINNED = (
    "nothing is pinned for this account: what it says of its own preparation could be an "
    "attacker's word (`cordon trust import`)"
)


@dataclass(frozen=True)
class _Pin:
    document: TrustDocument | None = None
    damage: str = ""


class Trust:
    """The pin of an account, and the judgement of one region. Methods may be called at once."""

    def __init__(self, aws: Aws, region: str) -> None:
        self.aws, self.region = aws, region
        self._lock = threading.Lock()
        self._judging = threading.Lock()
        self._judged: Judgement | None = None
        self._read: _Pin | None = None
        self._proving = threading.Lock()
        self._proven: VaultClaim | None = None
        self._faults: dict[str, Future[str]] = {}

    @property
    def _pin(self) -> _Pin:
        with self._lock:
            if self._read is None:
                try:
                    self._read = _Pin(pin.read(self.aws.identity.account))
                except PinDamaged as damaged:
                    self._read = _Pin(damage=damaged.message)
            return self._read

    @property
    def document(self) -> TrustDocument | None:
        """The trust document of the account; None where none is kept, or it is damaged."""
        return self._pin.document

    def rules(self, purpose: Purpose) -> Rules:
        """The rules that a group may have here: with SSH only from networks that are pinned."""
        cidrs = pinned(self.document, self.region).responder_cidrs if self.document else ()
        return group_rules(purpose, cidrs)

    def pinned_group(self, vpc: str, purpose: Purpose) -> str:
        """The id of a VPC's prepared group; empty where nothing pins one."""
        region = self.document.regions.get(self.region) if self.document else None
        return region.groups.get(vpc, {}).get(purpose.value, "") if region else ""

    def judgement(self) -> Judgement:
        """What may be used, and what is wrong; waits for AWS some seconds at most, once."""
        with self._judging:
            if self._judged is None:
                self._judged = self._judge()
            return self._judged

    def profile_fault(self, name: str) -> str:
        """Why an isolated profile must not be given; empty when it is as prepared. Asked once."""
        with self._lock:
            if name not in self._faults:
                self._faults[name] = self.aws.spawn(isolated_profiles.fault_of, self.aws, name)
        return self._faults[name].result()

    @property
    def manifest(self) -> Manifest:
        """Of what is prepared in the region, what may be used."""
        return self.judgement().manifest

    def vault(self) -> VaultClaim | None:
        """The vault to use if it proves itself; None where none is prepared.

        `VaultNotProven` where the account names one that must not be used.
        """
        manifest = self.manifest
        if why := self.judgement().without_vault:
            raise VaultNotProven(f"no vault is used: {why}", "The evidence is on this machine.")
        if not manifest.vault_bucket:
            return None
        return VaultClaim(
            bucket=manifest.vault_bucket,
            region=manifest.vault_region or self.region,
            owner=self.document.vault_account if self.document else self.aws.identity.account,
            key_arn=manifest.vault_key_arn,
            days=self.document.retention_days if self.document else 0,
            mode=self.document.retention_mode if self.document else "",
        )

    def proven_vault(self) -> VaultClaim | None:
        """The same after it has proven itself, once for all who ask; a refusal is asked anew."""
        with self._proving:
            if self._proven is None and (claim := self.vault()) is not None:
                prove(self.aws, claim)
                self._proven = claim
            return self._proven

    def _judge(self) -> Judgement:
        if self._pin.damage:
            # Somebody meant to pin: falling back to the account's word would undo that.
            return Judgement(tampering=(self._pin.damage,), without_vault=self._pin.damage)
        if self.document:
            return self._against(self.document)
        regions = self._regions()
        caller = self.aws.identity
        here = unpinned.Here(self.aws, self.region, caller.account, caller.partition, regions)
        judged = unpinned.judge(here, survey(self.aws, {*regions, self.region}))
        return replace(judged, notes=(NOTHING_PINNED, *judged.notes))

    def _against(self, document: TrustDocument) -> Judgement:
        expected = pinned(document, self.region)
        if self.region not in document.regions:
            told = f"{self.region} is not in the trust document: what is prepared there is not used"
            return Judgement(expected, notes=(told,))
        read = survey(self.aws, [self.region])
        if read.unread:
            why = read.unread[self.region]
            return Judgement(expected, notes=(f"the manifest was not compared: {why}",))
        return Judgement(expected, tampering=tuple(self._tampering(expected, read)))

    def _tampering(self, expected: Manifest, read: Survey) -> list[str]:
        if self.region in read.absent:
            return ["the region's manifest is gone"]
        if self.region in read.damaged:
            return list(unpinned.damage(read))
        return list(differences(expected, read.manifests[self.region]))

    def _regions(self) -> tuple[str, ...]:
        try:
            return self.aws.regions
        except Exception:
            return (self.region,)
