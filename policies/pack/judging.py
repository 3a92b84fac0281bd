"""Pulumi policies made of our rules: of one resource where that is enough, else of the stack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

import policies.checkov
from contract import load_units
from policies.bridge.program import Resource
from policies.pack.confs import TypedConf, confs, plain
from policies.pack.levels import LEVELS, REMEDIES
from policies.rules import Plan, Rule, Unknown


def rules() -> dict[str, Rule]:
    """All rules, by the name of their file."""
    return load_units(policies.checkov, "check", Rule)


def pack() -> Iterator[Policy]:
    """A policy for each rule, named `cordon-<rule>`."""
    for name, rule in rules().items():
        yield _of_one(name, rule) if rule.alone else _of_all(name, rule)


def _of_one(name: str, rule: Rule) -> Policy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for fault in _faults(rule, _confs_alone(args), Plan(())):
            report(fault, None)

    def remediate(args: ResourceValidationArgs) -> Any:
        if not list(_faults(rule, _confs_alone(args), Plan(()))):
            return None
        # In place: secrets, and values not yet known, must come back as they are.
        props: Any = args.props
        for key, value in REMEDIES[name].items():
            props[key] = value
        return props

    return ResourceValidationPolicy(
        name=_title(name),
        description=rule.text,
        validate=validate,
        remediate=remediate if name in REMEDIES else None,
        enforcement_level=LEVELS.get(name, EnforcementLevel.MANDATORY),
    )


def _of_all(name: str, rule: Rule) -> Policy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        declared = confs(_stack(args))
        plan = Plan((kind, conf) for _, kind, conf in declared)
        for item in declared:
            for fault in _faults(rule, [item], plan):
                report(fault, item[0].urn)

    return StackValidationPolicy(
        name=_title(name),
        description=rule.text,
        validate=validate,
        enforcement_level=LEVELS.get(name, EnforcementLevel.MANDATORY),
    )


def _faults(rule: Rule, declared: Iterable[TypedConf], plan: Plan) -> Iterator[str]:
    """What is wrong; not what only isn't known yet: Pulumi asks again when it is deployed."""
    for _, kind, conf in declared:
        if any(fnmatchcase(kind, pattern) for pattern in rule.kinds):
            faults = rule.judge(conf, plan) or ()
            yield from (fault for fault in faults if not isinstance(fault, Unknown))


def _confs_alone(args: ResourceValidationArgs) -> list[TypedConf]:
    return confs([_resource(args.urn, args.resource_type, args.name, args.props, {})])


def _stack(args: StackValidationArgs) -> list[Resource]:
    return [
        _resource(
            resource.urn,
            resource.resource_type,
            resource.name,
            resource.props,
            {
                key: tuple(o.urn for o in others)
                for key, others in resource.property_dependencies.items()
            },
        )
        for resource in args.resources
    ]


def _resource(
    urn: str, kind: str, name: str, props: Any, depends: dict[str, tuple[str, ...]]
) -> Resource:
    return Resource(
        urn=urn,
        type=kind,
        name=name,
        custom=True,
        parent="",
        inputs=plain(props),
        property_dependencies=depends,
        protect=False,
        source=None,
    )


def _title(name: str) -> str:
    return f"cordon-{name.replace('_', '-')}"
