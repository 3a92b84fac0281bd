"""Follows leads through every source until none is left: all places at once, any depth, no circles.

A place's worker takes the leads that wait for it, searches, and hands in what it finds; an event
that gives something out makes a new lead, which then waits for every place. A subject is followed
once, so that circles end. When a place fails, its worker says why and takes no more.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from responders.aws import Aws, explain
from responders.hunt.classify import classify
from responders.hunt.event import Attribute, Event, Record, read_event
from responders.hunt.evidence import Chunks
from responders.hunt.follow import Account, Given
from responders.hunt.given import given
from responders.hunt.index import Index
from responders.hunt.lead import Confidence, Lead, Origin, origin_of
from responders.hunt.look_here import LookHere, look_here
from responders.hunt.outside import Home
from responders.hunt.source import EventSource, Page, Window
from responders.hunt.subjects import Everything, Subject
from responders.json_values import Json

MOST_LEADS = 10_000
"""Leads of one hunt; more are counted and not followed, and the hunt is incomplete."""


MOST_HINTS = 10_000
"""Places to look at that are kept; more are counted, and the hunt is incomplete."""


@dataclass(frozen=True)
class Progress:
    """Where a place is: pages read and events found so far, leads that still wait.

    `phase` is `events`, or `new` when the place's new things were listed without CloudTrail.
    """

    place: str
    pages: int = 0
    events: int = 0
    waiting: int = 0
    error: str = ""
    phase: str = "events"


Tell = Callable[[Progress], None]


class _Place:
    """One place of one source, and what became of it."""

    def __init__(self, source: EventSource, name: str) -> None:
        self.source, self.name = source, name
        self.queue: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self.pages = self.events = 0
        self.error = ""


class Chase:
    """One hunt under way. `stop` ends it early; what was found until then is kept."""

    def __init__(
        self,
        index: Index,
        window: Window,
        account: Account,
        *,
        home: Home | None = None,
        chunks: Chunks | None = None,
        stop: threading.Event,
        tell: Tell,
    ) -> None:
        self.window, self.stop = window, stop
        self.leads: list[Lead] = []
        self.look_here: list[LookHere] = []
        self.unreadable = self.not_followed = self.hints_left_out = self.insights = 0
        self._index, self._account, self._chunks, self._tell = index, account, chunks, tell
        self._home = home or Home(account.id)
        self._by_subject: dict[Subject, Lead] = {}
        self._by_attribute: dict[Attribute, list[Subject]] = {}
        self._places: list[_Place] = []
        self._addenda: set[str] = set()
        self._lock = threading.RLock()
        self._outstanding = 0
        self._idle = threading.Event()

    @property
    def outcome(self) -> dict[str, str]:
        """Place to `ok`, or to why it could not be searched to the end."""
        return {place.name: place.error or "ok" for place in self._places}

    def run(self, aws: Aws, subject: Subject, sources: Iterable[EventSource]) -> None:
        """Returns when every lead was followed everywhere, or the hunt was stopped."""
        self._places = [_Place(source, name) for source in sources for name in source.places]
        if not self._places:
            raise ValueError("a hunt needs at least one place to search")
        self._follow(Given(subject), None)
        workers = [aws.spawn(self._work, place) for place in self._places]
        try:
            while not self._idle.wait(0.2):
                if self.stop.is_set():
                    break
        except KeyboardInterrupt:
            self.stop.set()
        finally:
            for place in self._places:
                place.queue.put(None)
        for worker in workers:
            worker.result()

    # -- leads --

    def _follow(self, offer: Given, origin: Origin | None) -> None:
        """Makes a lead, or widens the time of the one that the subject has."""
        subject = offer.subject
        with self._lock:
            known = self._by_subject.get(subject)
            if known is None and len(self.leads) >= MOST_LEADS:
                self.not_followed += 1
                return
            lead = Lead(
                number=len(self.leads) if known is None else known.number,
                subject=subject,
                since=origin.time if origin else None,
                until=offer.until,
                origin=origin,
                expires=offer.expires,
                confidence=offer.confidence,
                holder=offer.holder,
            )
            if known is None:
                self.leads.append(lead)
                for attribute in subject.lookups:
                    self._by_attribute.setdefault(attribute, []).append(subject)
            else:
                lead = _widened(known, lead)
                if lead == known:
                    return
                self.leads[lead.number] = lead
            self._by_subject[subject] = lead
            self._outstanding += len(self._places)
            for place in self._places:
                place.queue.put(lead.number)

    def _claimant(self, event: Event) -> Lead | None:
        """The lead whose event this is: of several a certain one, and then the first found."""
        with self._lock:
            subjects = [s for a in event.attributes for s in self._by_attribute.get(a, ())]
            leads = [self._by_subject[s] for s in subjects]
        claims = [lead for lead in leads if lead.claims(event)]
        return min(claims, key=lambda lead: (not lead.is_certain, lead.number), default=None)

    # -- places --

    def _work(self, place: _Place) -> None:
        while (first := place.queue.get()) is not None:
            numbers, ended = _waiting(place.queue, first)
            if not place.error and not self.stop.is_set():
                self._search(place, [self.leads[n] for n in dict.fromkeys(numbers)])
            self._done(place, len(numbers))
            if ended:
                return

    def _search(self, place: _Place, leads: Sequence[Lead]) -> None:
        try:
            for page in place.source.search(place.name, leads, self.window):
                place.pages += 1
                place.events += self.take_in(page)
                self._say(place)
                if self.stop.is_set():
                    place.error = "interrupted before it was searched to the end"
                    return
        except Exception as error:
            place.error = explain(error)
        self._say(place)

    def _done(self, place: _Place, leads: int) -> None:
        if self.stop.is_set() and not place.error:
            place.error = "interrupted before it was searched to the end"
        with self._lock:
            self._outstanding -= leads
            if not self._outstanding:
                self._idle.set()

    def _say(self, place: _Place) -> None:
        waiting = place.queue.qsize()
        self._tell(Progress(place.name, place.pages, place.events, waiting, place.error))

    # -- events --

    def take_in(self, page: Page) -> int:
        """Keeps the events of followed leads and follows what they gave out; gives their number."""
        return sum(self._take(record) for record in page)

    def _take(self, record: Json) -> bool:
        """Whether the record is a new event of a lead. One that can't be read is counted."""
        try:
            event = read_event(record)
        except (ValueError, AttributeError, RecursionError):
            return self._miss()
        try:
            return self._take_event(record, event)
        except RecursionError:  # a record may be nested as deeply as its writer liked
            return self._miss()

    def _miss(self) -> bool:
        with self._lock:
            self.unreadable += 1
        return False

    def _take_event(self, record: Record, event: Event) -> bool:
        if event.category == "Insight":
            with self._lock:
                self.insights += 1
            return False
        lead = self._claimant(event)
        if lead is None or not self.window.start <= event.time <= self.window.end:
            return False
        is_new = self._index.add(event, classify(event, self._home), lead)
        if not is_new and not self._is_new_addendum(record, event):
            return False
        # An addendum may bring what the first record lacked, such as the answer.
        self._keep(record)
        if not isinstance(self.leads[0].subject, Everything):
            self._lead_on(event, lead)
        return is_new

    def _is_new_addendum(self, record: Record, event: Event) -> bool:
        """Once for each: a trail's objects are read again for every round of leads."""
        own_id = str(record.get("eventID"))
        with self._lock:
            if not event.is_addendum or own_id in self._addenda:
                return False
            self._addenda.add(own_id)
            return True

    def _lead_on(self, event: Event, lead: Lead) -> None:
        """Follows what the event gave out; says where to look when nothing of it is certain."""
        followed = given(event, lead.subject, self._account)
        for offer in followed:
            confidence = offer.confidence if lead.is_certain else Confidence.POSSIBLE
            self._follow(replace(offer, confidence=confidence), origin_of(event))
        if any(offer.confidence is Confidence.CERTAIN for offer in followed):
            return
        if (hint := look_here(event, lead.label)) is not None:
            with self._lock:
                if len(self.look_here) < MOST_HINTS:
                    self.look_here.append(hint)
                else:
                    self.hints_left_out += 1

    def _keep(self, record: Record) -> None:
        if self._chunks is not None:
            self._chunks.add(record)


def _waiting(waiting: queue.SimpleQueue[int | None], first: int) -> tuple[list[int], bool]:
    """Numbers of all leads that wait, and whether the end came behind them."""
    numbers = [first]
    while True:
        try:
            number = waiting.get_nowait()
        except queue.Empty:
            return numbers, False
        if number is None:
            return numbers, True
        numbers.append(number)


def _widened(known: Lead, later_find: Lead) -> Lead:
    """The lead for the time of both, through the earlier event; equal to `known` if that suffices.

    What is certain through one event stays so, however doubtful the other is.
    """
    until = None
    if known.until is not None and later_find.until is not None:
        until = max(known.until, later_find.until)
    certain = known.is_certain or later_find.is_certain
    confidence = Confidence.CERTAIN if certain else Confidence.POSSIBLE
    wider = replace(known, until=until, confidence=confidence)
    if known.since is None or (later_find.since is not None and known.since <= later_find.since):
        return wider
    return replace(
        wider, since=later_find.since, origin=later_find.origin, expires=later_find.expires
    )
