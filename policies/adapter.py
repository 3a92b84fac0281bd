"""Makes Checkov policies of our rules. Runs in Checkov's own environment only."""

from __future__ import annotations

from typing import Any

from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.terraform.checks.resource.base_resource_check import BaseResourceCheck

from policies.rules import Plan, Rule


class Policy(BaseResourceCheck):  # type: ignore[misc]
    """A rule as Checkov knows it. Made is registered: that is how Checkov's checks are found."""

    def __init__(self, rule: Rule) -> None:
        self._judge = rule.judge
        self._plan: tuple[Any, Plan] | None = None
        super().__init__(
            name=rule.text,
            id=rule.identifier,
            categories=[CheckCategories[rule.category]],
            supported_resources=list(rule.kinds),
        )

    def scan_resource_conf(self, conf: dict[str, Any]) -> Any:
        """Checkov's question; what is wrong goes into the report as details."""
        faults = self._judge(conf, self._whole())
        if faults is None:
            return CheckResult.UNKNOWN
        self.details = list(faults)
        return CheckResult.FAILED if self.details else CheckResult.PASSED

    def _whole(self) -> Plan:
        """The plan being scanned, read once."""
        if self._plan is None or self._plan[0] is not self.graph:
            self._plan = (self.graph, Plan(_resources(self.graph)))
        return self._plan[1]


def _resources(graph: Any) -> list[tuple[str, dict[str, Any]]]:
    return [
        (kind, conf)
        for _, node in graph.nodes()
        if (kind := node.get("resource_type"))
        for conf in node["config_"][kind].values()
    ]


def register(rule: Rule) -> None:
    """Tells Checkov of a rule."""
    Policy(rule)
