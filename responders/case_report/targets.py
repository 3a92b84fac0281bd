"""What each target of a case went through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from responders.case_report.documents import entries_of_steps, playbook, saved_documents
from responders.case_report.model import Interface, Snapshot, Target
from responders.json_values import Json
from responders.outcome import CONTAINED
from responders.playbook import released_commands
from responders.record.case import Case
from responders.record.run import Run


def targets_of(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Command and target of everything that the case contained, in the order of the record."""
    contained = released_commands()
    pairs = [(str(r.begin.get("command")), str(r.begin.get("target"))) for r in runs if r.begin]
    return list(dict.fromkeys(pair for pair in pairs if pair[0] in contained))


def target_facts(case: Case, runs: Sequence[Run], command: str, target: str) -> Target:
    own = [run for run in runs if run.begin.get("target") == target]
    responses = [run for run in own if run.begin.get("command") == command]
    first = responses[0]
    released = [run for run in own if run.end.get("outcome") == "released"]
    last = own[-1].end.get("outcome")
    evidence = saved_documents(case, responses, target)
    return Target(
        command=command,
        id=target,
        account=str(first.begin.get("account", "")),
        region=str(first.begin.get("region", "")),
        state="contained" if last in CONTAINED else str(last or "not finished"),
        began=str(first.begin.get("at", "")),
        contained_after=_seconds_to_contain(first),
        released=str(released[-1].end.get("at", "")) if released else "",
        facts=_machine(evidence.get("instance.json")) if evidence else _identity(first),
        interfaces=_interfaces(responses, evidence),
        snapshots=_snapshots(own),
        not_restored=[
            f"{entry.step}: {difference}"
            for run in own
            for entry in run.entries
            if entry.kind == "undone"
            for difference in entry.body.get("drift", ())
        ],
        risks=_risks(responses),
    )


def _seconds_to_contain(run: Run) -> float | None:
    """From the run's begin to the last result of a step that contains; None if that failed."""
    if run.end.get("outcome") not in CONTAINED or run.end.get("outcome") == "already-contained":
        return None
    containing = _containing_steps(run)
    began = str(run.begin.get("at", ""))
    # The first result of each step counts: later ones only look again.
    firsts = {e.step: str(e.body["at"]) for e in reversed(run.entries) if e.kind == "result"}
    moments = [moment for step, moment in firsts.items() if step in containing]
    if not moments or not began:
        return None
    return round((_time(max(moments)) - _time(began)).total_seconds(), 1)


def _containing_steps(run: Run) -> set[str]:
    book = playbook(run)
    if book is None:
        return set()
    steps = book.steps(book.from_journal(run.begin))
    return {step.name for step in steps if step.action.contains}


def _identity(run: Run) -> list[tuple[str, str]]:
    subject = str(run.begin.get("subject", ""))
    return [("Identity", subject)] if subject else []


def _machine(instance: Json) -> list[tuple[str, str]]:
    """What a reader wants to know of an instance first."""
    if not isinstance(instance, dict):
        return []
    tags = {str(t.get("Key")): str(t.get("Value")) for t in instance.get("Tags") or ()}
    profile = (instance.get("IamInstanceProfile") or {}).get("Arn", "")
    rows = [
        ("Name", tags.get("Name", "")),
        ("Private address", instance.get("PrivateIpAddress", "")),
        ("Public address", instance.get("PublicIpAddress", "")),
        ("Type", instance.get("InstanceType", "")),
        ("Image", instance.get("ImageId", "")),
        ("Launched", instance.get("LaunchTime", "")),
        ("VPC", instance.get("VpcId", "")),
        ("Instance profile", profile),
        ("Auto Scaling group", tags.get("aws:autoscaling:groupName", "")),
    ]
    return [(label, str(value)) for label, value in rows if value]


def _interfaces(runs: Sequence[Run], evidence: Mapping[str, Json]) -> list[Interface]:
    """Groups of each interface before the first change of the case and after the last."""
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for entry in entries_of_steps(runs, "untrack", "isolate-network"):
        states = entry.body.get("seen" if entry.kind == "intend" else "now") or {}
        for interface, state in states.items():
            groups = _groups(state)
            if groups is not None and entry.kind == "intend":
                before.setdefault(interface, groups)
            elif groups is not None:
                after[interface] = groups
    names, rules = _group_facts(evidence.get("groups.json"))
    addresses = _addresses(evidence.get("interfaces.json"))
    return [
        Interface(
            interface,
            addresses.get(interface, ()),
            tuple(names.get(group, group) for group in groups),
            tuple(names.get(group, group) for group in after.get(interface, ())),
            tuple(rule for group in groups for rule in rules.get(group, ())),
        )
        for interface, groups in before.items()
    ]


def _groups(state: Json) -> list[str] | None:
    groups = state.get("groups") if isinstance(state, dict) else None
    return [str(group) for group in groups] if isinstance(groups, list) else None


def _group_facts(groups: Json) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """`id (name)` and the inbound rules of each group that was recorded."""
    described = [g for g in groups or () if isinstance(g, dict) and "GroupId" in g]
    names = {str(g["GroupId"]): f"{g['GroupId']} ({g.get('GroupName', '')})" for g in described}
    rules = {
        str(g["GroupId"]): tuple(_rule(r) for r in g.get("IpPermissions", ())) for g in described
    }
    return names, rules


def _rule(permission: Mapping[str, Json]) -> str:
    """One inbound rule as people write it, such as `tcp 443 from 0.0.0.0/0`."""
    protocol = str(permission.get("IpProtocol", ""))
    first, last = permission.get("FromPort"), permission.get("ToPort")
    ports = "" if first is None else f" {first}" if first == last else f" {first}-{last}"
    sources = [
        *(r.get("CidrIp", "") for r in permission.get("IpRanges", ())),
        *(r.get("CidrIpv6", "") for r in permission.get("Ipv6Ranges", ())),
        *(r.get("GroupId", "") for r in permission.get("UserIdGroupPairs", ())),
        *(r.get("PrefixListId", "") for r in permission.get("PrefixListIds", ())),
    ]
    return f"{'all traffic' if protocol == '-1' else protocol + ports} from {', '.join(sources)}"


def _addresses(interfaces: Json) -> dict[str, tuple[str, ...]]:
    return {
        str(item.get("NetworkInterfaceId")): tuple(
            str(address)
            for address in (
                item.get("PrivateIpAddress"),
                (item.get("Association") or {}).get("PublicIp"),
                *(a.get("Ipv6Address") for a in item.get("Ipv6Addresses") or ()),
            )
            if address
        )
        for item in interfaces or ()
        if isinstance(item, dict)
    }


def _snapshots(runs: Sequence[Run]) -> list[Snapshot]:
    volumes: dict[str, str] = {}
    locks: dict[str, str] = {}
    copies: dict[str, str] = {}
    for entry in entries_of_steps(runs, "snapshot", "lock-snapshots", "copy-snapshots"):
        for resource, state in (entry.body.get("now") or {}).items():
            if not isinstance(state, dict):
                continue
            if entry.step == "snapshot":
                volumes |= {str(s): resource for s in state.get("snapshots") or ()}
            elif entry.step == "lock-snapshots" and state.get("mode"):
                locks[resource] = f"{state['mode']}, {state.get('days')} days"
            elif entry.step == "copy-snapshots" and state.get("copy"):
                copies[resource] = str(state["copy"])
    return [
        Snapshot(snapshot, volume, locks.get(snapshot, ""), copies.get(snapshot, ""))
        for snapshot, volume in volumes.items()
    ]


def _risks(runs: Sequence[Run]) -> list[str]:
    """Residual risks of the newest run: an older one's may be mended."""
    entries = [e for e in runs[-1].entries if e.kind == "result"]
    return list(dict.fromkeys(str(risk) for e in entries for risk in e.body.get("risks", ())))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
