"""Who writes into the vault from other accounts: their responder role, and nobody else there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from components.iam import Deployment
from contract import IAM_PATH, RESPONDER_ROLE


@dataclass(frozen=True)
class Writers:
    """Some accounts by id, or every account of `organization`. False when there are none."""

    accounts: tuple[str, ...] = ()
    organization: str = ""

    def __bool__(self) -> bool:
        return bool(self.accounts or self.organization)

    def principal(self, deployment: Deployment) -> dict[str, object]:
        """The `Principal` of a statement; `condition` narrows it to the responder role."""
        if self.organization:
            return {"AWS": "*"}
        return {"AWS": [deployment.root(account) for account in sorted(self.accounts)]}

    def condition(
        self, deployment: Deployment, equals: Mapping[str, str] | None = None
    ) -> dict[str, object]:
        """The `Condition` that goes with `principal`; `equals` is required as well."""
        role = deployment.role(f"{IAM_PATH}{RESPONDER_ROLE}", "*")
        strings = dict(equals or {})
        if self.organization:
            strings["aws:PrincipalOrgID"] = self.organization
        condition: dict[str, object] = {"ArnLike": {"aws:PrincipalArn": role}}
        return {**condition, "StringEquals": strings} if strings else condition
