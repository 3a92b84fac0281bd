"""A hunt from beginning to end.

A million events took 79 MB of memory at most, and 603 MB in the temporary folder, at 3,100 events a
second on two busy cores (`python -m benchmarks.hunt`): memory does not grow with their number.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from responders.aws import Aws, code_of, explain, is_denied
from responders.errors import CordonError
from responders.hunt import ask, region_deny
from responders.hunt.chase import MOST_HINTS, MOST_LEADS, Chase, Progress, Tell
from responders.hunt.denied import Denials
from responders.hunt.digest import Digest
from responders.hunt.evidence import Chunks, Save
from responders.hunt.findings import LISTED, Findings
from responders.hunt.follow import Account
from responders.hunt.index import Index, Row
from responders.hunt.lookup import HISTORY, EventHistory
from responders.hunt.outside import Home
from responders.hunt.source import Conclusion, EventSource, Window
from responders.hunt.still_open import StillOpen
from responders.hunt.subjects import Everything, Subject
from responders.hunt.table import Kind
from responders.hunt.where import global_region
from responders.hunt.without_trail import New, new_since
from responders.record.journal import canonical, utc

DELAY = (
    "CloudTrail shows events within some 15 minutes, not at once: hunt again later for the newest."
)

SEARCHED = ("ok", region_deny.CLOSED)
"""Outcomes of a place in which nothing was missed."""

Export = Callable[[Callable[[], Iterable[Row]], Mapping[int, str]], None]
"""Given what reads every event in the order of time, as often as it is called, and the labels of
leads by number."""


@dataclass(frozen=True)
class Extras:
    """What a hunt may have besides event history.

    `since`: where to begin (UTC; default: as far back as event history goes). `sources`: a trail's
    objects, CloudTrail Lake. `without_trail`: also list what is new by its own date; by itself that
    is done where events may be missing.
    """

    since: datetime | None = None
    sources: Sequence[EventSource] = ()
    without_trail: bool = False
    case: str = ""
    name: str = "hunt"
    """Folder of the evidence."""


def hunt(
    aws: Aws,
    subject: Subject,
    *,
    regions: Sequence[str] | None = None,
    tell: Tell = lambda _progress: None,
    save: Save | None = None,
    extras: Extras | None = None,
    export: Export | None = None,
    stop: threading.Event | None = None,
) -> Findings:
    """Finds what a subject did, in `regions` (default: all that are enabled), and what came of it.

    `save` keeps the raw events, as files of gzipped JSON lines, and the findings. `export` is given
    every event at the end. BadInput when the subject can't be meant. What can't be searched is in
    the findings, which then are not complete; Ctrl-C, or setting `stop`, ends the hunt with what
    was found.
    """
    return Hunt(aws, subject, regions, extras or Extras(), stop).run(tell, save, export)


class Hunt:
    """A hunt that can be meant: the making raises BadInput, and looks at AWS for it."""

    def __init__(
        self,
        aws: Aws,
        subject: Subject,
        regions: Sequence[str] | None,
        extras: Extras,
        stop: threading.Event | None = None,
    ) -> None:
        self.aws, self.extras = aws, extras
        self.subject = ask.native_or_foreign(subject, aws.identity.account)
        self.stop = stop or threading.Event()
        self.home = global_region(aws.home_region)
        self.regions = ask.regions(aws, regions, self.home)
        self.history = EventHistory(aws, self.regions, self.stop)
        self.sources: list[EventSource] = [self.history, *self.extras.sources]
        self.ours = Home.of(aws)
        self.notes = [
            *filter(None, (self.ours.note,)),
            *ask.check(aws, self.subject, self.history, self.home),
            DELAY,
            *_beyond(aws, self.regions, regions),
        ]

    def run(self, tell: Tell, save: Save | None, export: Export | None) -> Findings:
        """Carries it out, as `hunt` says."""
        aws = self.aws
        window = window_of(self.extras.since)
        account = Account(aws.identity.account, aws.identity.partition, _arns(aws))
        with tempfile.TemporaryDirectory(prefix="cordon-hunt-") as folder:
            index = Index(Path(folder))
            try:
                chunks = Chunks(save, self.extras.name) if save else None
                chase = Chase(
                    index, window, account, home=self.ours, chunks=chunks, stop=self.stop, tell=tell
                )
                chase.run(aws, self.subject, self.sources)
                findings = _Summary(self, chase, index, window).made(tell)
                return _kept(findings, index, chunks, save, export, self.extras.name)
            finally:
                index.close()


def window_of(since: datetime | None) -> Window:
    """The time that a hunt which begins now searches."""
    now = datetime.now(UTC).replace(microsecond=0)
    return Window(since or now - HISTORY, now)


@dataclass(frozen=True)
class _Summary:
    """A chase that ended, and what findings are made of."""

    hunt: Hunt
    chase: Chase
    index: Index
    window: Window

    def made(self, tell: Tell) -> Findings:
        """The findings; looks at what was created, and at what is new without a trail."""
        index, chase = self.index, self.chase
        index.attribute(chase.leads)
        conclusion = self._conclusion()
        outcome = chase.outcome
        shut = region_deny.closed(self.hunt.aws, outcome)
        outcome |= dict.fromkeys(shut, region_deny.CLOSED)
        gaps = [*self._gaps(outcome), *conclusion.gaps]
        digest = Digest(
            self.hunt.aws, index, chase.leads, self.hunt.extras.case, self.hunt.ours, gaps
        )
        new = self._without_trail(outcome, gaps, tell)
        created, shared = digest.created(), digest.shared()
        blinding, followed = digest.anti_forensics(), digest.followed()
        denials = Denials(self.hunt.aws)
        still_open = StillOpen(self.hunt.aws, self._account, self.window.end, denials)
        leads = still_open.leads(created, shared, blinding, followed)
        gaps += denials.errors
        events = list(index.rows(without=Kind.READ, at_most=LISTED))
        counts = index.counts()
        first, last = index.span()
        cut = {"events": sum(counts.values()) - counts[Kind.READ.value] - len(events)}
        return Findings(
            subject=chase.leads[0].label,
            account=self._account,
            start=utc(self.window.start),
            end=utc(self.window.end),
            counts=counts,
            first=first,
            last=last,
            events=events,
            labels={lead.number: lead.label for lead in chase.leads},
            created=created,
            shared=shared,
            anti_forensics=blinding,
            attempted=index.tallies(Kind.ATTEMPTED, LISTED),
            reads=index.tallies(Kind.READ, LISTED),
            followed=followed,
            open=leads,
            look_here=sorted(chase.look_here, key=lambda one: (one.time, one.event)),
            without_trail=new,
            regions={place: outcome[place] for place in self.hunt.regions},
            sources={p: told for p, told in outcome.items() if p not in self.hunt.regions},
            notes=[*self.hunt.notes, *conclusion.notes, *self._insights(), *_closed(shut)],
            gaps=gaps,
            interrupted=chase.stop.is_set(),
            cut=cut | digest.cut(),
        )

    def _conclusion(self) -> Conclusion:
        """What the sources say at the end."""
        summary = Conclusion()
        try:
            for source in self.hunt.sources:
                conclusion = source.conclude(self.window)
                summary.gaps.extend(conclusion.gaps)
                summary.notes.extend(conclusion.notes)
        except KeyboardInterrupt:
            self.chase.stop.set()
            summary.gaps.append("interrupted before every source was checked")
        return summary

    def _insights(self) -> list[str]:
        count = self.chase.insights
        note = f"{count} Insights events were read; they name no caller, so they are nobody's"
        return [note] if count else []

    @property
    def _account(self) -> str:
        return self.hunt.aws.identity.account

    def _gaps(self, outcome: Mapping[str, str]) -> list[str]:
        chase = self.chase
        gaps = [f"{place}: {told}" for place, told in outcome.items() if told not in SEARCHED]
        if chase.unreadable:
            gaps.append(f"{chase.unreadable} records could not be read, and were left out")
        if chase.not_followed:
            gaps.append(
                f"{chase.not_followed} credentials were not followed: {MOST_LEADS} is the most"
            )
        if chase.hints_left_out:
            gaps.append(
                f"{chase.hints_left_out} places to look at were left out: {MOST_HINTS} is the most"
            )
        if self.window.start < self.window.end - HISTORY and len(self.hunt.sources) == 1:
            gaps.append(
                f"event history reaches back {HISTORY.days} days only; for what is older give "
                "--trail or --lake"
            )
        return gaps

    def _without_trail(self, outcome: dict[str, str], gaps: list[str], tell: Tell) -> list[New]:
        """What is new where events may be missing; what could not be listed joins both."""
        if self.chase.stop.is_set():
            return []
        items: list[New] = []
        try:
            for since, regions in self._blind(outcome).items():
                items += self._new(since, regions, outcome, gaps, tell)
        except KeyboardInterrupt:
            self.chase.stop.set()
            gaps.append("interrupted before all that is new was listed")
        return [item for item in items if not self.index.has_created(item.type, item.id)]

    def _new(
        self,
        since: datetime,
        regions: list[str],
        outcome: dict[str, str],
        gaps: list[str],
        tell: Tell,
    ) -> list[New]:
        def done(place: str) -> None:
            tell(Progress(place, phase="new"))

        listed = new_since(self.hunt.aws, regions, self.hunt.home, since, done)
        for region, errors in listed.errors.items():
            gaps += [f"{region}: {error}" for error in errors]
            outcome[region] = "; ".join(filter(lambda t: t != "ok", [outcome[region], *errors]))
        return listed.found

    def _blind(self, outcome: Mapping[str, str]) -> dict[datetime, list[str]]:
        """Regions by the time from which events may be missing there."""
        if isinstance(self.hunt.subject, Everything) or self.hunt.extras.without_trail:
            reached = [r for r in self.hunt.regions if outcome[r] != region_deny.CLOSED]
            return {self.window.start: reached}
        first, _ = self.index.span()
        blinded = self.index.first_time(Kind.ANTI_FORENSICS)
        since: dict[datetime, list[str]] = {}
        for region in self.hunt.regions:
            if outcome[region] == region_deny.CLOSED:
                continue
            begun = first if outcome[region] != "ok" else blinded
            if begun:
                since.setdefault(datetime.fromisoformat(begun), []).append(region)
        return since


def _closed(regions: Sequence[str]) -> list[str]:
    return [f"{region_deny.EXEMPT}{', '.join(regions)}"] if regions else []


def _kept(
    findings: Findings,
    index: Index,
    chunks: Chunks | None,
    save: Save | None,
    export: Export | None,
    name: str,
) -> Findings:
    """Exports and saves; what could not be written is a gap."""
    if export:
        try:
            export(index.rows, findings.labels)
        except OSError as error:
            gap = f"the events could not be written: {error.strerror}"
            findings = replace(findings, gaps=[*findings.gaps, gap])
    if not chunks or not save:
        return findings
    try:
        findings = replace(findings, raw_files=chunks.close())
        save(f"{name}/findings.json", canonical(findings.as_json()))
    except CordonError as error:
        return replace(findings, gaps=[*findings.gaps, f"evidence: {error.message}"])
    return findings


def _arns(aws: Aws) -> Callable[[str, str], str]:
    """ARN of a role or user by its name; where IAM can't tell, the ARN that has no path."""

    @cache
    def arn_of(kind: str, name: str) -> str:
        iam = aws.client("iam")
        try:
            if kind == "user":
                return str(iam.get_user(UserName=name)["User"]["Arn"])
            return str(iam.get_role(RoleName=name)["Role"]["Arn"])
        except Exception as error:
            if code_of(error) != "NoSuchEntity" and not is_denied(error):
                raise
            caller = aws.identity
            return f"arn:{caller.partition}:iam::{caller.account}:{kind}/{name}"

    return arn_of


def _beyond(aws: Aws, searched: Sequence[str], chosen: Sequence[str] | None) -> list[str]:
    """What is not searched by choice, or because a region is not enabled."""
    if chosen is not None:
        return [f"searched only: {', '.join(searched)}"]
    try:
        answer = aws.client("ec2").describe_regions(AllRegions=True)
    except Exception as error:
        return [f"regions that are not enabled could not be listed: {explain(error)}"]
    off = sorted({str(r["RegionName"]) for r in answer["Regions"]} - set(searched))
    note = f"not enabled, so not searched (what runs there goes on): {', '.join(off)}"
    return [note] if off else []
