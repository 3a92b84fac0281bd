"""The one rule for who is outside: not this account, its organization, or an AWS service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from responders.aws import Aws, code_of, explain
from responders.json_values import Json
from responders.permissions import allow

PERMISSIONS = (
    allow(
        "organizations:DescribeOrganization",
        "organizations:ListAccounts",
        because="tells accounts of the own organization from strangers, among those shared with",
    ),
)
_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?")
_PROVIDERS = {"cognito-identity.amazonaws.com", "openid-license-manager.amazonaws.com"}
"""They vouch for users of theirs, whoever these are, and do not act by themselves."""
_ACCOUNT = re.compile(r"\d{12}")
_ORGANIZATION = re.compile(
    r"(?:arn:[\w-]+:organizations::\d{12}:(?:organization|ou)/)?(o-[a-z0-9]{10,32})(?:/.*)?"
)
"""An organization's id, an ARN of it or of a unit in it, or a path that begins with the id."""
_HARMLESS_ACLS = {
    "private",
    "bucket-owner-read",
    "bucket-owner-full-control",
    "log-delivery-write",
    "aws-exec-read",
    "http://acs.amazonaws.com/groups/s3/LogDelivery",
}
"""Canned ACLs and groups of S3 that admit only the owner or a service of AWS."""
_LIMITS = {
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalarn",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceowner",
    "aws:sourcearn",
    "kms:calleraccount",
}
"""Condition keys that say whose the caller is (IAM user guide, "Global condition context keys")."""
_POSITIVE = re.compile(r"(string|arn)(equals|like)(ignorecase)?", re.IGNORECASE)
"""Operators that bind; with `IfExists` a caller without the key would pass."""


@dataclass(frozen=True)
class Home:
    """What is not outside: the account, its organization's id, and the accounts known to be in it.

    An AWS service is not outside either; an identity provider is, also Amazon's own.
    """

    account: str
    organization: str = ""
    accounts: frozenset[str] = frozenset()
    note: str = ""
    """Why the organization is not known, or the empty string."""

    @classmethod
    def of(cls, aws: Aws) -> Home:
        """Of the caller's account. What Organizations does not tell is in `note`."""
        account = aws.identity.account
        client = aws.client("organizations")
        try:
            organization_facts = client.describe_organization()["Organization"]
        except Exception as error:
            if code_of(error) == "AWSOrganizationsNotInUseException":
                return cls(account)
            trouble = "which accounts are of the own organization could not be told"
            return cls(account, note=f"{trouble}: {explain(error)}")
        organization, accounts = (
            str(organization_facts.get("Id", "")),
            {str(organization_facts.get("MasterAccountId", ""))},
        )
        note = ""
        try:
            for page in client.get_paginator("list_accounts").paginate():
                accounts |= {str(entry["Id"]) for entry in page["Accounts"]}
        except Exception as error:
            note = f"accounts of the organization could not be listed: {explain(error)}"
        return cls(account, organization, frozenset(accounts - {""}), note)

    def is_outside(self, principal: str) -> bool:
        """Whether an account, ARN, group or pattern of a policy or share is somebody outside."""
        text = principal.strip()
        if not text or text in _HARMLESS_ACLS:
            return False
        if _SERVICE.fullmatch(text):
            return text in _PROVIDERS
        account = text if _ACCOUNT.fullmatch(text) else _account_of(text)
        if account in ({self.account} | self.accounts):
            return False
        return not (self.organization and _organization_of(text) == self.organization)

    def outsiders(self, policy: Json) -> list[str]:
        """Who is outside among the principals that a policy allows.

        `policy` is a document or its JSON; anything else has none. A statement whose conditions
        admit nobody but those of the account or the organization allows nobody outside.
        """
        allowed = [
            principal
            for statement in _list(_document(policy).get("Statement"))
            if isinstance(statement, Mapping) and statement.get("Effect") == "Allow"
            if not self._is_limited(statement.get("Condition"))
            for principal in _principals(statement)
        ]
        return list(dict.fromkeys(principal for principal in allowed if self.is_outside(principal)))

    def _is_limited(self, conditions: Json) -> bool:
        """Whether one of the conditions, which all must hold, admits nobody outside."""
        for operator, keys in conditions.items() if isinstance(conditions, Mapping) else ():
            # `ForAllValues` also holds for a caller without the key.
            if operator.startswith("ForAll") or not _POSITIVE.fullmatch(operator.split(":")[-1]):
                continue
            for key, values in keys.items() if isinstance(keys, Mapping) else ():
                texts = [str(value) for value in _list(values)]
                if key.lower() in _LIMITS and texts and not any(map(self.is_outside, texts)):
                    return True
        return False


def _account_of(text: str) -> str:
    """The account in an ARN; empty for a pattern, and for ARNs without one."""
    parts = text.split(":", 5)
    return parts[4] if len(parts) == 6 and _ACCOUNT.fullmatch(parts[4]) else ""


def _organization_of(text: str) -> str:
    """The organization that a text stands for as a whole: names may hold any organization's id."""
    match = _ORGANIZATION.fullmatch(text)
    return match[1] if match else ""


def _document(policy: Json) -> Mapping[str, Json]:
    if isinstance(policy, str):
        try:
            policy = json.loads(policy)
        except (ValueError, RecursionError):
            return {}
    return policy if isinstance(policy, Mapping) else {}


def _list(value: Json) -> Sequence[Json]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _principals(statement: Mapping[str, Json]) -> Iterator[str]:
    """Those named; `NotPrincipal` with Allow admits everybody else, so all."""
    if "NotPrincipal" in statement:
        yield "*"
    principal = statement.get("Principal")
    if isinstance(principal, str):
        yield principal
    elif isinstance(principal, Mapping):
        for kind in ("AWS", "Federated", "CanonicalUser"):
            yield from (str(text) for text in _list(principal.get(kind)))
