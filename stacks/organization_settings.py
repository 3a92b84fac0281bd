"""The settings of the organization stack: targets, exempt roles, tagging rules."""

from __future__ import annotations

import re
from dataclasses import dataclass

from contract import TAG_RULES, TagRule
from stacks.reading import Reading

TARGET = r"r-[a-z0-9]{4,32}|ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|\d{12}"
TARGETS = "the id of a root (r-…), an organizational unit (ou-…) or an account"
PROVISIONER = r"arn:aws(-[a-z]+)*:iam::(\d{12}|\*):role/[\w+=,.@-]{3}[\w+=,.@/*-]*"
PERSON = r"arn:aws(-[a-z]+)*:iam::(\d{12}|\*):(user|role)/[\w+=,.@-]{3}[\w+=,.@/*-]*"
TAG_KEY = r"[\w .:/=+@-]{1,128}"
TAG_VALUE = r"[\w .:/=+@*-]{1,256}"
ENFORCED = r"[a-z0-9-]+:([a-z0-9-]+|\*)"


@dataclass(frozen=True)
class Organization:
    """`manage`: the organization itself is declared too, so policy types are enabled.

    The resource control policy and the declarative policy for EC2 are declared with targets only.
    """

    manage: bool = False
    tag_policy_targets: tuple[str, ...] = ()
    guardrail_targets: tuple[str, ...] = ()
    provisioners: tuple[str, ...] = ()
    guarded_people: tuple[str, ...] = ()
    resource_control_targets: tuple[str, ...] = ()
    ec2_baseline_targets: tuple[str, ...] = ()
    tag_rules: tuple[TagRule, ...] = TAG_RULES

    @classmethod
    def read(cls, reading: Reading) -> Organization:
        """From the stack's configuration; BadConfig names the setting that is wrong."""
        return cls(
            manage=reading.flag("manageOrganization", False),
            tag_policy_targets=reading.texts("tagPolicyTargets", pattern=TARGET, meaning=TARGETS),
            guardrail_targets=reading.texts("guardrailTargets", pattern=TARGET, meaning=TARGETS),
            provisioners=reading.texts(
                "provisioners",
                pattern=PROVISIONER,
                meaning="the ARN of a role, or a pattern that begins with at least three letters "
                "of the role's path or name",
            ),
            resource_control_targets=reading.texts(
                "resourceControlTargets", pattern=TARGET, meaning=TARGETS
            ),
            ec2_baseline_targets=reading.texts(
                "ec2BaselineTargets", pattern=TARGET, meaning=TARGETS
            ),
            guarded_people=reading.texts(
                "guardedPeople",
                pattern=PERSON,
                meaning="the ARN of a user or role, or a pattern that begins with at least three "
                "letters of its path or name",
            ),
            tag_rules=_rules(reading),
        )


def _rules(reading: Reading) -> tuple[TagRule, ...]:
    """The configured rules, or those of the contract. Keys differ in more than their case."""
    rules = tuple(_rule(reading, record) for record in reading.records("tagRules"))
    keys = [rule.key.lower() for rule in rules]
    if twice := {key for key in keys if keys.count(key) > 1}:
        raise reading.bad("tagRules", f"the key {min(twice)} stands there twice; remove one")
    return rules or TAG_RULES


def _rule(reading: Reading, record: dict[str, object]) -> TagRule:
    if unknown := sorted(set(record) - {"key", "values", "enforcedFor", "required"}):
        raise reading.bad("tagRules", f"a rule has no {unknown[0]!r}")
    key, required = record.get("key"), record.get("required", True)
    if not isinstance(key, str) or not re.fullmatch(TAG_KEY, key):
        raise reading.bad("tagRules", f"{key!r} is not a tag's key")
    if not isinstance(required, bool):
        raise reading.bad("tagRules", f"{key}: required must be true or false")
    values = _list(reading, key, record, "values", TAG_VALUE)
    if wild := [value for value in values if value.count("*") > 1]:
        raise reading.bad("tagRules", f"{key}: {wild[0]!r} has more than one *; AWS takes one")
    return TagRule(key, values, _list(reading, key, record, "enforcedFor", ENFORCED), required)


def _list(
    reading: Reading, key: str, record: dict[str, object], name: str, pattern: str
) -> tuple[str, ...]:
    values = record.get(name, [])
    if not isinstance(values, list):
        raise reading.bad("tagRules", f"{key}: {name} must be a list")
    for value in values:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise reading.bad("tagRules", f"{key}: {value!r} can't stand under {name}")
    return tuple(values)
