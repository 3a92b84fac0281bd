"""Makes the list of what is still open, of what a hunt found and what AWS says of it now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from responders.aws import Aws
from responders.hunt.denied import Denials
from responders.hunt.expiry import expiry
from responders.hunt.findings import Created, Followed
from responders.hunt.isolation import isolation
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
            for credential in followed
            if credential.value not in listed and (lead := self._followed(credential)) is not None
        ]
        return sorted(_each_once(leads), key=_rank)

    def _created(self, resource: Created) -> OpenLead | None:
        """None for what is gone, has ended, or can do nothing more because all is denied to it."""
        if resource.exists is False or resource.state in OVER:
            return None
        kind = KINDS.get(resource.type, LeadKind.RESOURCE)
        if (
            kind in (LeadKind.USER, LeadKind.PASSWORD)
            and self.denials.of("user", resource.id).everything
        ):
            return None
        if kind is LeadKind.ROLE and self.denials.of("role", resource.id).everything:
            return None
        if kind is LeadKind.KEY and resource.state == "Inactive":
            return None
        lead = self._lead(resource, kind, _state(resource))
        if resource.type == "AWS::EC2::Instance" and resource.state == "running":
            return self._cut_off(lead, resource.groups)
        return lead

    def _cut_off(self, lead: OpenLead, groups: Sequence[str]) -> OpenLead:
        """A machine that reaches nothing is less bad; it stays on the list while it runs."""
        known = isolation(self.aws, lead.region, groups)
        if not known.words:
            return lead
        severity = Severity.LOW if known.is_whole else Severity.MEDIUM
        return replace(lead, state=f"{lead.state}, {known.words}", severity=severity.value)

    def _shared(self, resource: Created) -> OpenLead | None:
        """None where nobody outside has it any more."""
        if resource.exists is False or resource.still_shared_with == ():
            return None
        kind = LeadKind.ROLE_TRUST if resource.type == "AWS::IAM::Role" else LeadKind.SHARE
        if kind is LeadKind.ROLE_TRUST and self.denials.of("role", resource.id).everything:
            return None
        if resource.still_shared_with is None:
            state = "not known with whom it is shared now"
        else:
            state = f"shared with {' '.join(resource.still_shared_with)}"
        return self._lead(resource, kind, state)

    def _blinded(self, resource: Created) -> OpenLead | None:
        """A trail that does not log, or is gone; of other logs nothing is known."""
        if resource.type != "AWS::CloudTrail::Trail" or resource.state == "True":
            return None
        state = (
            "deleted" if resource.exists is False else _state(resource, {"False": "does not log"})
        )
        return self._lead(resource, LeadKind.LOGGING, state)

    def _followed(self, followed: Followed) -> OpenLead | None:
        kind = _FOLLOWED.get(followed.kind)
        if kind is None or followed.value.startswith("AKIA") or not followed.through:
            return None
        ends = expiry(followed.expires)
        begun = datetime.fromisoformat(followed.through[-1].time)
        if kind is LeadKind.SESSION and (
            (ends and ends < self.now) or self.denials.cut(followed.holder, begun)
        ):
            return None
        through = followed.through[-1]
        state = f"valid until {followed.expires}" if followed.expires else "not known"
        return OpenLead(
            kind=kind.value,
            type="",
            id=followed.value,
            account=self.account,
            region=through.region,
            state=state,
            severity=(Severity.HIGH if followed.is_certain else Severity.MEDIUM).value,
            command=followed.contain,
            since=through.time,
            by=through.by,
            event=through.event,
            owner=followed.holder,
            confidence=followed.confidence,
        )

    def _lead(self, resource: Created, kind: LeadKind, state: str) -> OpenLead:
        severity = SEVERITIES.get(kind, Severity.HIGH)
        if resource.state in IDLE:
            severity = Severity.LOW
        return OpenLead(
            kind=kind.value,
            type=resource.type,
            id=resource.id,
            account=self.account,
            region=resource.region,
            state=state,
            severity=severity.value,
            command=resource.contain,
            since=resource.time,
            by=resource.actor,
            event=resource.event,
            name=resource.label,
            owner=resource.owner,
            address=resource.address,
            tags=resource.tags,
            shared_with=resource.still_shared_with or (),
            confidence=resource.confidence,
        )


def _state(resource: Created, words: Mapping[str, str] | None = None) -> str:
    """AWS's word; that it could not be told counts as open, and says so."""
    if resource.exists is None:
        return f"not known: {resource.error}" if resource.error else "not known"
    return (words or {}).get(resource.state, resource.state) or "exists"


def _each_once(leads: Iterable[OpenLead]) -> list[OpenLead]:
    """One entry for a kind and id, however many events told of it: the first one."""
    first: dict[tuple[str, ...], OpenLead] = {}
    for lead in leads:
        which = lead.id or lead.event
        first.setdefault((lead.kind, lead.type, which, lead.owner, lead.region), lead)
    return list(first.values())


def _rank(lead: OpenLead) -> tuple[int, int, str, str]:
    severities: Sequence[str] = [member.value for member in Severity]
    kinds: Sequence[str] = [member.value for member in LeadKind]
    return severities.index(lead.severity), kinds.index(lead.kind), lead.since, lead.id
