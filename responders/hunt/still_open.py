"""Makes the list of what is still open, of what a hunt found and what AWS says of it now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from responders.aws import Aws
from responders.hunt.denied import Denials
from responders.hunt.expiry import expiry
from responders.hunt.findings import Created, Followed
from responders.hunt.open_lead import LeadKind, OpenLead, Severity

KINDS: Mapping[str, LeadKind] = {
    "AWS::EC2::Instance": LeadKind.MACHINE,
    "AWS::Lightsail::Instance": LeadKind.MACHINE,
    "AWS::EC2::SpotRequest": LeadKind.WORKLOAD,
    "AWS::EC2::SpotFleet": LeadKind.WORKLOAD,
    "AWS::EC2::EC2Fleet": LeadKind.WORKLOAD,
    "AWS::AutoScaling::AutoScalingGroup": LeadKind.WORKLOAD,
    "AWS::ECS::Cluster": LeadKind.WORKLOAD,
    "AWS::ECS::Service": LeadKind.WORKLOAD,
    "AWS::ECS::Task": LeadKind.WORKLOAD,
    "AWS::EKS::Cluster": LeadKind.WORKLOAD,
    "AWS::EKS::AccessEntry": LeadKind.ROLE,
    "AWS::SageMaker::NotebookInstance": LeadKind.WORKLOAD,
    "AWS::Batch::ComputeEnvironment": LeadKind.WORKLOAD,
    "AWS::StepFunctions::StateMachine": LeadKind.WORKLOAD,
    "AWS::Events::Rule": LeadKind.WORKLOAD,
    "AWS::IAM::AccessKey": LeadKind.KEY,
    "AWS::IAM::ServiceSpecificCredential": LeadKind.KEY,
    "AWS::IAM::SigningCertificate": LeadKind.KEY,
    "AWS::IAM::SSHPublicKey": LeadKind.KEY,
    "AWS::Lightsail::BucketAccessKey": LeadKind.KEY,
    "AWS::IAM::User": LeadKind.USER,
    "AWS::IAM::LoginProfile": LeadKind.PASSWORD,
    "AWS::IAM::Role": LeadKind.ROLE,
    "AWS::IAM::SAMLProvider": LeadKind.IDENTITY_PROVIDER,
    "AWS::IAM::OIDCProvider": LeadKind.IDENTITY_PROVIDER,
    "AWS::RolesAnywhere::TrustAnchor": LeadKind.IDENTITY_PROVIDER,
    "AWS::RolesAnywhere::Profile": LeadKind.IDENTITY_PROVIDER,
    "AWS::Lambda::Function": LeadKind.FUNCTION,
    "AWS::CloudTrail::Trail": LeadKind.LOGGING,
}
"""Types that can act, or let somebody act. Every other type is a resource."""

SEVERITIES: Mapping[LeadKind, Severity] = {
    LeadKind.MACHINE: Severity.CRITICAL,
    LeadKind.KEY: Severity.CRITICAL,
    LeadKind.ROLE_TRUST: Severity.CRITICAL,
    LeadKind.LOGGING: Severity.MEDIUM,
    LeadKind.RESOURCE: Severity.LOW,
}
"""How bad each kind is; `HIGH` where none is said."""

IDLE = {"stopped", "stopping", "Inactive", "INACTIVE", "DISABLED", "Stopped", "Stopping"}
"""States in which a thing does nothing, and could be put to use again."""
OVER = {"Expired"}
"""States in which a thing is of no more use to anybody."""
_FOLLOWED = {"key": LeadKind.SESSION, "session": LeadKind.SESSION, "host": LeadKind.MACHINE}
"""Followed subjects that are listed, where the list of what was created does not have them."""


@dataclass(frozen=True)
class StillOpen:
    """Judges what is open at `now` (UTC)."""

    aws: Aws
    account: str
    now: datetime
    denials: Denials

    def leads(
        self,
        created: Iterable[Created],
        shared: Iterable[Created],
        anti_forensics: Iterable[Created],
        followed: Iterable[Followed],
    ) -> list[OpenLead]:
        """Every open lead once, the worst first."""
        leads = [
            *filter(None, map(self._created, created)),
            *filter(None, map(self._shared, shared)),
            *filter(None, map(self._blinded, anti_forensics)),
        ]
        listed = {lead.id for lead in leads}
        leads += [
            lead
            for one in followed
            if one.value not in listed and (lead := self._followed(one)) is not None
        ]
        return sorted(_each_once(leads), key=_rank)

    def _created(self, one: Created) -> OpenLead | None:
        """None for what is gone, has ended, or can do nothing more because all is denied to it."""
        if one.exists is False or one.state in OVER:
            return None
        kind = KINDS.get(one.type, LeadKind.RESOURCE)
        if (
            kind in (LeadKind.USER, LeadKind.PASSWORD)
            and self.denials.of("user", one.id).everything
        ):
            return None
        if kind is LeadKind.ROLE and self.denials.of("role", one.id).everything:
            return None
        if kind is LeadKind.KEY and one.state == "Inactive":
            return None
        return self._lead(one, kind, _state(one))

    def _shared(self, one: Created) -> OpenLead | None:
        """None where nobody outside has it any more."""
        if one.exists is False or one.still_shared_with == ():
            return None
        kind = LeadKind.ROLE_TRUST if one.type == "AWS::IAM::Role" else LeadKind.SHARE
        if kind is LeadKind.ROLE_TRUST and self.denials.of("role", one.id).everything:
            return None
        if one.still_shared_with is None:
            state = "not known with whom it is shared now"
        else:
            state = f"shared with {' '.join(one.still_shared_with)}"
        return self._lead(one, kind, state)

    def _blinded(self, one: Created) -> OpenLead | None:
        """A trail that does not log, or is gone; of other logs nothing is known."""
        if one.type != "AWS::CloudTrail::Trail" or one.state == "True":
            return None
        state = "deleted" if one.exists is False else _state(one, {"False": "does not log"})
        return self._lead(one, LeadKind.LOGGING, state)

    def _followed(self, one: Followed) -> OpenLead | None:
        kind = _FOLLOWED.get(one.kind)
        if kind is None or one.value.startswith("AKIA") or not one.through:
            return None
        ends = expiry(one.expires)
        begun = datetime.fromisoformat(one.through[-1].time)
        if kind is LeadKind.SESSION and (
            (ends and ends < self.now) or self.denials.cut(one.holder, begun)
        ):
            return None
        through = one.through[-1]
        state = f"valid until {one.expires}" if one.expires else "not known"
        return OpenLead(
            kind=kind.value,
            type="",
            id=one.value,
            account=self.account,
            region=through.region,
            state=state,
            severity=(Severity.HIGH if one.is_certain else Severity.MEDIUM).value,
            command=one.contain,
            since=through.time,
            by=through.by,
            event=through.event,
            owner=one.holder,
            confidence=one.confidence,
        )

    def _lead(self, one: Created, kind: LeadKind, state: str) -> OpenLead:
        severity = SEVERITIES.get(kind, Severity.HIGH)
        if one.state in IDLE:
            severity = Severity.LOW
        return OpenLead(
            kind=kind.value,
            type=one.type,
            id=one.id,
            account=self.account,
            region=one.region,
            state=state,
            severity=severity.value,
            command=one.contain,
            since=one.time,
            by=one.actor,
            event=one.event,
            name=one.label,
            owner=one.owner,
            address=one.address,
            tags=one.tags,
            shared_with=one.still_shared_with or (),
            confidence=one.confidence,
        )


def _state(one: Created, words: Mapping[str, str] | None = None) -> str:
    """AWS's word; that it could not be told counts as open, and says so."""
    if one.exists is None:
        return f"not known: {one.error}" if one.error else "not known"
    return (words or {}).get(one.state, one.state) or "exists"


def _each_once(leads: Iterable[OpenLead]) -> list[OpenLead]:
    """One entry for a kind and id, however many events told of it: the first one."""
    kept: dict[tuple[str, ...], OpenLead] = {}
    for lead in leads:
        which = lead.id or lead.event
        kept.setdefault((lead.kind, lead.type, which, lead.owner, lead.region), lead)
    return list(kept.values())


def _rank(lead: OpenLead) -> tuple[int, int, str, str]:
    severities: Sequence[str] = [one.value for one in Severity]
    kinds: Sequence[str] = [one.value for one in LeadKind]
    return severities.index(lead.severity), kinds.index(lead.kind), lead.since, lead.id
