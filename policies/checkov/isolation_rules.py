"""A group that is not exactly as prepared either fails to isolate or fails to be trusted."""

from __future__ import annotations

from collections.abc import Iterator

from contract import Purpose, Rule, Rules, group_rules
from policies.rules import Conf, Plan, blocks, first, manifest, purpose, rule

PURPOSES = (Purpose.ISOLATE, Purpose.UNTRACK)


def judge(conf: Conf, plan: Plan) -> list[str] | None:
    """Compares with the contract, for the networks that the region's manifest tells responders."""
    if purpose(conf) not in PURPOSES:
        return None
    prepared = manifest(first(conf, "region"), plan)
    if isinstance(prepared, str):
        return [prepared]
    declared = Rules(_rules(conf, "ingress"), _rules(conf, "egress"))
    expected = group_rules(Purpose(purpose(conf)), prepared.responder_cidrs)
    faults = []
    for direction, is_, should in (
        ("in", declared.ingress, expected.ingress),
        ("out", declared.egress, expected.egress),
    ):
        faults += [f"allows {_text(entry)} {direction}" for entry in sorted(set(is_) - set(should))]
        faults += [f"lacks {_text(entry)} {direction}" for entry in sorted(set(should) - set(is_))]
    unset = [key for key in ("ingress", "egress") if key not in conf]
    faults += [f"leaves {key} unmanaged: set it, to an empty list if need be" for key in unset]
    return faults


def _rules(conf: Conf, key: str) -> tuple[Rule, ...]:
    return tuple(sorted(rule for nested in blocks(conf, key) for rule in _peers(nested)))


def _peers(nested: Conf) -> Iterator[Rule]:
    protocol = str(first(nested, "protocol"))
    everything = protocol == "-1"
    low, high = (0, 0) if everything else (first(nested, "from_port"), first(nested, "to_port"))
    for key in ("cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups"):
        for peer in first(nested, key) or []:
            yield Rule(protocol, low, high, str(peer))
    if first(nested, "self"):
        yield Rule(protocol, low, high, "itself")


def _text(rule: Rule) -> str:
    return f"{rule.protocol} {rule.from_port}-{rule.to_port} {rule.peer}"


check = rule(
    "CKV_CORDON_1",
    "Isolation groups have exactly the rules that are configured",
    ["aws_security_group"],
    "NETWORKING",
    judge,
)
