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
            listed,
            key=lambda credential: (
                credential.through[-1].time if credential.through else "",
                credential.value,
            ),
        )

    def created(self) -> list[Created]:
        """What was created, looked at now, with the command that contains or removes it."""
        sightings = self.index.found(Kind.CREATED, LISTED)
        states = look(self.aws, [_ref(sighting) for sighting in sightings])
        self._miss(states)
        return [
            self._created(sighting, states[_ref(sighting)], known(sighting.type).remedy)
            for sighting in sightings
        ]

    def shared(self) -> list[Created]:
        """What was shared, and with whom it is shared now."""
        sightings = self.index.found(Kind.SHARED, LISTED)
        states = look(self.aws, [_ref(sighting) for sighting in sightings])
        self._miss(states)
        sharing = {
            ref: self.aws.spawn(shared_with, self.aws, ref, self.home)
            for ref, state in states.items()
            if state.exists is not False
        }
        listed = []
        for sighting in sightings:
            ref = _ref(sighting)
            thing_shared = self._created(sighting, states[ref], known(sighting.type).unshare)
            if ref in sharing:
                try:
                    now = sharing[ref].result()
                except Exception as error:
                    self._gap(f"with whom {ref.id} is shared could not be told: {explain(error)}")
                else:
                    thing_shared = replace(
                        thing_shared, still_shared_with=None if now is None else tuple(now)
                    )
            listed.append(thing_shared)
        return listed

    def anti_forensics(self) -> list[Created]:
        """What blinded the account, and what can be said of it now."""
        sightings = self.index.found(Kind.ANTI_FORENSICS, LISTED)
        trails = [sighting for sighting in sightings if known(sighting.type).look]
        states = look(self.aws, [_ref(sighting) for sighting in trails])
        self._miss(states)
        return [
            self._created(
                sighting, states.get(_ref(sighting), State()), known(sighting.type).remedy
            )
            for sighting in sightings
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

    def _created(self, sighting: Found, state: State, template: str) -> Created:
        lead = self.leads[sighting.lead]
        return Created(
            type=sighting.type,
            id=sighting.id,
            owner=sighting.owner,
            region=sighting.region,
            time=sighting.time,
            event=sighting.event,
            service=sighting.service,
            name=sighting.name,
            actor=sighting.actor,
            origin=lead.label,
            through=self._through(lead),
            exists=state.exists,
            state=state.state,
            error=state.error,
            contain="" if state.exists is False else self._command(sighting, template),
            shared_with=sighting.shared_with,
            label=state.name,
            address=state.address,
            tags=state.tags,
            groups=state.groups,
            confidence=lead.confidence.value,
        )

    def _command(self, sighting: Found, template: str) -> str:
        values = {
            "id": sighting.id,
            "owner": sighting.owner,
            "region": sighting.region,
            "case": self.case or CASE,
            "with": sighting.shared_with,
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
        holder = Principal.of_arn(subject.value)
        if holder is None or subject.kind == "on-behalf":
            return ""
        values |= {"id": holder.name, "session": holder.session}
        narrowed = " --session {session}" if holder.session else ""
        return command(f"cordon {holder.kind} {{id}}{narrowed} --case {{case}}", values)

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
            others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
            self._gap(f"whether {ref.id} is still there could not be told{others}: {error}")

    def _gap(self, text: str) -> None:
        self.gaps.append(text)


def _ref(sighting: Found) -> Ref:
    return Ref(sighting.type, sighting.id, sighting.owner, sighting.region)
