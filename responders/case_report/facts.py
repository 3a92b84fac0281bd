"""What the record of a case says, as plain values that a page can show.

Everything comes from the journals and the evidence on this machine.
"""

from __future__ import annotations

from collections.abc import Sequence

from responders.case_report.custody import evidence_of, failed_steps, run_facts
from responders.case_report.documents import findings
from responders.case_report.model import MOST_MOMENTS, CaseFacts, Target
from responders.case_report.targets import target_facts, targets_of
from responders.case_report.timeline import moments_of
from responders.json_values import JsonObject
from responders.record.case import Case
from responders.record.journal import now
from responders.record.run import Run
from responders.record.verify import local_faults


def facts_of(case: Case) -> CaseFacts:
    """Reads a case; what is damaged is named in `faults`, and the rest is shown all the same."""
    runs = case.runs()
    faults = local_faults(case)
    hunts = list(findings(case, runs))
    targets = [target_facts(case, runs, *key) for key in targets_of(runs)]
    timeline = sorted(moments_of(runs, hunts), key=lambda moment: moment.at)
    return CaseFacts(
        case=case.id,
        written=now(),
        summary=_summary(targets, hunts, runs),
        state=_state(targets),
        targets=targets,
        timeline=timeline[:MOST_MOMENTS],
        moments_left_out=max(0, len(timeline) - MOST_MOMENTS),
        hunts=hunts,
        still_open=[lead for newest in hunts[-1:] for lead in newest.get("open", ())],
        evidence=list(evidence_of(runs, faults)),
        risks=list(dict.fromkeys(risk for target in targets for risk in target.risks)),
        incomplete=list(failed_steps(runs)),
        runs=[run_facts(run) for run in runs],
        faults=faults,
    )


def _summary(targets: Sequence[Target], findings: Sequence[JsonObject], runs: Sequence[Run]) -> str:
    """A sentence for somebody who reads no further."""
    if not targets:
        return f"{len(runs)} runs are on record, and none of them contained anything."
    newest = findings[-1:]
    sentences = [_sentence(target) for target in targets]
    sentences += [f"The last hunt found {len(hunt.get('open', ()))} open leads." for hunt in newest]
    return " ".join(sentences)


def _sentence(target: Target) -> str:
    """What became of one target."""
    name = dict(target.facts).get("Name", "")
    subject = f"{target.command.capitalize()} {target.id}{f' ({name})' if name else ''}"
    where = f" in {target.region}" if target.region and target.command == "instance" else ""
    if target.contained_after is not None:
        text = f"was contained {target.contained_after:g} seconds after the response began"
        text += f" ({_minute(target.began)})"
    elif target.state in ("contained", "released"):
        text = f"was contained in a response that began {_minute(target.began)}"
    else:
        text = f"is {target.state.replace('-', ' ')}: the response began {_minute(target.began)}"
    released = f", and released {_minute(target.released)}" if target.released else ""
    return f"{subject}{where} {text}{released}."


def _minute(moment: str) -> str:
    """`2026-01-31T12:00:00.000Z` as `2026-01-31 12:00 UTC`."""
    return f"{moment[:10]} {moment[11:16]} UTC" if len(moment) > 16 else moment


def _state(targets: Sequence[Target]) -> str:
    """The state of the case in a word or two, the worst target first."""
    states = {target.state for target in targets}
    for state in ("not-contained", "interrupted", "not finished", "not-released"):
        if state in states:
            return state.replace("-", " ")
    if states == {"released"}:
        return "released"
    return "contained" if states & {"contained", "released"} else "nothing contained"
