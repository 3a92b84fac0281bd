"""Hashes the snapshots before anything is mounted, by the EBS direct APIs, without a machine."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from responders.action import Action, Incident, Observation
from responders.aws import SomeFailed, explain
from responders.errors import Skip
from responders.permissions import allow
from responders.record.journal import canonical
from responders.volumes import workstation
from responders.volumes.snapshot_hash import hash_snapshot
from responders.volumes.snapshots import EVIDENCE_ONLY, SNAPSHOTS, of_other_accounts
from responders.volumes.workstation import ALL_OF_THE_CASE, SnapshotChoice, Workstation


@dataclass(frozen=True)
class HashSnapshots(Action[Workstation]):
    """The case holds a hash of each snapshot that is looked into."""

    choice: SnapshotChoice = ALL_OF_THE_CASE

    name = "hash"
    collects = True
    permissions = (
        allow(
            "ebs:ListSnapshotBlocks",
            "ebs:GetSnapshotBlock",
            on=SNAPSHOTS,
            when=EVIDENCE_ONLY,
            because="hashes evidence snapshots without a machine",
            risk="can read evidence snapshots block by block",
        ),
        allow(
            "ebs:ListSnapshotBlocks",
            "ebs:GetSnapshotBlock",
            on=SNAPSHOTS,
            # The owner's tags are not told here, and no other key tells what a snapshot is.
            when={"StringEquals": {"aws:PrincipalAccount": "{examiner}"}},
            because="hashes what other accounts shared, where evidence of others is examined",
            risk="can read block by block any snapshot of this account, or shared with it, whose "
            "key it may use",
        ),
        *of_other_accounts(
            "kms:Decrypt",
            through="ebs.*",
            because="EBS decrypts the blocks of what other accounts shared",
            risk="reads what these accounts shared with this one",
        ),
        allow(
            "kms:Decrypt",
            on="arn:{partition}:kms:*:{account}:key/*",
            when={"StringLike": {"kms:ViaService": ["ec2.*", "ebs.*"]}},
            because="EBS decrypts the blocks that are hashed",
        ),
    )

    def observe(self, incident: Incident[Workstation]) -> Observation:
        """Snapshot to whether the case has its hash."""
        have = incident.evidence.names()
        chosen = workstation.sources(incident.aws, incident.region, incident.case, self.choice)
        return {s.id: _name(s.id) in have for s in chosen}

    def lacks(self, incident: Incident[Workstation], observation: Observation) -> tuple[str, ...]:
        """A line for each snapshot that is not hashed yet."""
        return tuple(
            f"{snapshot} is not hashed" for snapshot, done in observation.items() if not done
        )

    def act(self, incident: Incident[Workstation], observation: Observation) -> None:
        """One snapshot after the other: each takes all the bandwidth that there is.

        One that can't be read stops no other.
        """
        failures = []
        for snapshot in (s for s, is_hashed in observation.items() if not is_hashed):
            try:
                self._hash(incident, snapshot)
            except Skip:
                raise
            except Exception as error:
                failures.append(f"{snapshot}: {explain(error)}")
        if failures:
            raise SomeFailed(failures)

    def _hash(self, incident: Incident[Workstation], snapshot: str) -> None:
        def tell(fraction: float) -> bool:
            incident.watch(f"hashing {snapshot}", fraction)
            return not incident.stopping.is_set()

        result = hash_snapshot(incident.aws, incident.region, snapshot, tell)
        if result is None:
            raise Skip("interrupted; `cordon resume` begins this one anew", incomplete=True)
        document = {"snapshot": snapshot, **asdict(result)}
        incident.evidence.save(_name(snapshot), canonical(document))

    def undo(self, incident: Incident[Workstation], before: Observation) -> None:
        """Nothing: evidence is kept."""
        raise Skip("the hashes are evidence, and stay")


def _name(snapshot: str) -> str:
    return f"hashes/{snapshot}.json"
