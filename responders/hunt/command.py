"""A hunt as a command carries it out: in a case or not, with a report at the end."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from responders.aws import Access, Aws
from responders.hunt import ask
from responders.hunt.athena import DEFAULT_MAX_GB, Athena
from responders.hunt.chase import Tell
from responders.hunt.findings import Findings
from responders.hunt.hunting import Export, Extras, Hunt, window_of
from responders.hunt.lake import Lake
from responders.hunt.subjects import Subject
from responders.hunt.trail_source import check_validation, objects_at, source_of
from responders.outcome import DONE, INCOMPLETE, INTERRUPTED, Evidence, Report
from responders.record.opened_run import PATIENT_WAIT
from responders.record.reading import open_reading


@dataclass(frozen=True)
class HuntRequest:
    """What to hunt for. `subject` None: everything since `extras.since`.

    `trail` is an `s3://` address or a folder, `lake` the ARN or id of an event data store; `case`
    may be empty. `validate`: check the trail's objects against CloudTrail's signed digests.
    `athena`: a workgroup, and a table if it has another name; `max_gb`: what its queries may read,
    10^9 bytes.
    """

    subject: Subject | None
    access: Access = field(default_factory=Access)
    case: str = ""
    responder: str = ""
    regions: Sequence[str] | None = None
    trail: str = ""
    validate: bool = False
    lake: str = ""
    athena: str = ""
    max_gb: float = DEFAULT_MAX_GB
    extras: Extras = field(default_factory=Extras)


def report(
    request: HuntRequest, tell: Tell, export: Export | None = None
) -> tuple[Report, Findings]:
    """Hunts, and records it in the case if there is one. BadInput leaves no trace of a hunt."""
    aws = Aws(request.access, case=request.case or None)
    subject = request.subject or ask.everything(aws.identity.account)
    stop = threading.Event()
    objects = objects_at(aws, request.trail) if request.trail else None
    if request.validate:
        check_validation(objects)
    lake = Lake.of(aws, request.lake, stop) if request.lake else None
    extras = replace(request.extras, case=request.case)
    athena = Athena(aws, request.athena, stop, request.max_gb) if request.athena else None
    hunt = Hunt(aws, subject, request.regions, extras, stop)
    if athena:
        athena.check(window_of(extras.since))
    label = f"{hunt.subject.kind} {hunt.subject.value}"
    record = (
        open_reading(aws, request.case, "hunt", label, request.responder) if request.case else None
    )
    with tempfile.TemporaryDirectory(prefix="cordon-trail-") as folder:
        if objects:
            source = source_of(aws, objects, record, Path(folder), stop, validate=request.validate)
            hunt.sources.append(source)
        hunt.sources += filter(None, (lake, athena))
        findings = hunt.run(tell, record.evidence.save if record else None, export)
    outcome = "found" if findings.found else "nothing-found"
    evidence = Evidence(complete=False, trouble="no case was given, so nothing is kept")
    if record:
        evidence = record.close(outcome, interrupted=findings.interrupted, wait=PATIENT_WAIT)
    incomplete = not findings.complete or (record is not None and not evidence.complete)
    code = INTERRUPTED if findings.interrupted else INCOMPLETE if incomplete else DONE
    document = Report(
        case=request.case,
        command="hunt",
        run=record.run if record else "",
        target=label,
        account=findings.account,
        region="",
        outcome=outcome,
        exit_code=code,
        residual_risks=list(findings.gaps),
        evidence=evidence,
        extra=findings.as_json(),
    )
    return document, findings
