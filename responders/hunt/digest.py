"""Makes findings of an index: the way to each thing, whether it exists, what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from responders.aws import Aws, explain
from responders.hunt.existence import Ref, State, look, shared_with
from responders.hunt.findings import LISTED, Created, Followed, Through
from responders.hunt.index import Found, Index
from responders.hunt.inventory import command, known
from responders.hunt.lead import Lead
from responders.hunt.outside import Home
from responders.hunt.subjects import Subject
from responders.hunt.table import Kind
from responders.identity.principal import Principal
from responders.record.journal import utc

CASE = "ID"
"""Stands for the case in commands when there is none yet."""


@dataclass(frozen=True)
class Digest:
    """Reads one finished index. `gaps` grows by what could not be told."""

    aws: Aws
    index: Index
    leads: Sequence[Lead]
    case: str
    home: Home
    gaps: list[str]

    def followed(self) -> list[Followed]:
        """Every lead but the first, in the order of the events through which they came."""
        counts = self.index.counts_by_lead()
        listed = [
            Followed(
                lead.subject.kind,
                lead.subject.value,
                len(through),
                through,
                counts.get(lead.number, 0),
                lead.expires,
                self._contain_subject(lead.subject),
                lead.confidence.value,
                lead.holder,
            )
            for lead in self.leads[1:]
            for through in [self._through(lead)]
        ]
        return sorted(
            listed, key=lambda one: (one.through[-1].time if one.through else "", one.value)
        )

    def created(self) -> list[Created]:
        """What was created, looked at now, with the command that contains or removes it."""
        found = self.index.found(Kind.CREATED, LISTED)
        states = look(self.aws, [_ref(one) for one in found])
        self._miss(states)
        return [self._created(one, states[_ref(one)], known(one.type).remedy) for one in found]

    def shared(self) -> list[Created]:
        """What was shared, and with whom it is shared now."""
        found = self.index.found(Kind.SHARED, LISTED)
        states = look(self.aws, [_ref(one) for one in found])
        self._miss(states)
        asked = {
            ref: self.aws.spawn(shared_with, self.aws, ref, self.home)
            for ref, state in states.items()
            if state.exists is not False
        }
        listed = []
        for one in found:
            ref = _ref(one)
            made = self._created(one, states[ref], known(one.type).unshare)
            if ref in asked:
                try:
                    now = asked[ref].result()
                except Exception as error:
                    self._gap(f"with whom {ref.id} is shared could not be told: {explain(error)}")
                else:
                    made = replace(made, still_shared_with=None if now is None else tuple(now))
            listed.append(made)
        return listed

    def anti_forensics(self) -> list[Created]:
        """What blinded the account, and what can be said of it now."""
        found = self.index.found(Kind.ANTI_FORENSICS, LISTED)
        trails = [one for one in found if known(one.type).look]
        states = look(self.aws, [_ref(one) for one in trails])
        self._miss(states)
        return [
            self._created(one, states.get(_ref(one), State()), known(one.type).remedy)
            for one in found
        ]

    def cut(self) -> dict[str, int]:
        """How many entries the lists lack."""
        kinds = {
            "created": Kind.CREATED,
            "shared": Kind.SHARED,
            "anti_forensics": Kind.ANTI_FORENSICS,
        }
        return {name: max(0, self.index.things(kind) - LISTED) for name, kind in kinds.items()}

    # -- parts --

    def _created(self, one: Found, state: State, template: str) -> Created:
        lead = self.leads[one.lead]
        return Created(
            type=one.type,
            id=one.id,
            owner=one.owner,
            region=one.region,
            time=one.time,
            event=one.event,
            service=one.service,
            name=one.name,
            actor=one.actor,
            origin=lead.label,
            through=self._through(lead),
            exists=state.exists,
            state=state.state,
            error=state.error,
            contain="" if state.exists is False else self._command(one, template),
            shared_with=one.shared_with,
            label=state.name,
            address=state.address,
            tags=state.tags,
            confidence=lead.confidence.value,
        )

    def _command(self, one: Found, template: str) -> str:
        values = {
            "id": one.id,
            "owner": one.owner,
            "region": one.region,
            "case": self.case or CASE,
            "with": one.shared_with,
        }
        return command(template, values)

    def _contain_subject(self, subject: Subject) -> str:
        """The command for what was followed; empty where cordon has none."""
        values = {"id": subject.value, "case": self.case or CASE}
        if subject.kind == "key":
            return command("cordon key {id} --case {case}", values)
        if subject.kind == "host":
            instance = subject.value.startswith("i-")
            return command("cordon instance {id} --case {case}", values) if instance else ""
        found = Principal.of_arn(subject.value)
        if found is None or subject.kind == "on-behalf":
            return ""
        values |= {"id": found.name, "session": found.session}
        narrowed = " --session {session}" if found.session else ""
        return command(f"cordon {found.kind} {{id}}{narrowed} --case {{case}}", values)

    def _through(self, lead: Lead) -> tuple[Through, ...]:
        """The events that led to a lead, the first one first."""
        steps: list[Through] = []
        met = set()
        while lead.origin is not None and lead.number not in met:
            met.add(lead.number)
            origin = lead.origin
            lead = self.leads[self.index.lead_of(origin.event) or 0]
            steps.append(
                Through(origin.event, origin.name, utc(origin.time), origin.region, lead.label)
            )
        return tuple(reversed(steps))

    def _miss(self, states: dict[Ref, State]) -> None:
        failed = [(ref, state.error) for ref, state in states.items() if state.error]
        if failed:
            ref, error = failed[0]
            more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
            self._gap(f"whether {ref.id} is still there could not be told{more}: {error}")

    def _gap(self, text: str) -> None:
        self.gaps.append(text)


def _ref(one: Found) -> Ref:
    return Ref(one.type, one.id, one.owner, one.region)
