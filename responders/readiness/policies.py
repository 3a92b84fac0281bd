"""The kit's roles may do what `pulumi up` generated for them, no more and no less."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contract import RESPONDER_ROLE, Pinned, pin_name, policy_digest
from responders.aws import code_of
from responders.readiness import FAIL, OK, REFRESH, WARN, Finding, Place
from responders.trust import declared_grants, role_policies
from responders.trust.role_policies import RolePolicies

SCOPE = "account"
PERMISSIONS = role_policies.PERMISSIONS
SHOWN = 3
"""Grants that a line names; the whole list is in the role's policies."""


def check(place: Place) -> Iterator[Finding]:
    """A finding for each policy too many, and one for what the other policies mean.

    By the trust document for every role whose policies it pins. Without one the responder role is
    compared with what the installed actions declare. A role that is not there is another check's.
    """
    for role in _roles(place):
        try:
            policies = role_policies.read(place.aws, role)
        except Exception as error:
            if code_of(error) != "NoSuchEntity":
                raise
            continue
        yield from _strangers(role, policies)
        yield from _meaning(place, role, policies)


def pinned(place: Place, kind: Pinned, name: str) -> str:
    """The digest that the trust document has for some policies; empty where it pins none."""
    document = place.trust.document
    return document.policies.get(pin_name(kind, name), "") if document else ""


def _roles(place: Place) -> list[str]:
    document = place.trust.document
    prefix = pin_name(Pinned.ROLE, "")
    names = [n for n in (document.policies if document else ()) if n.startswith(prefix)]
    return sorted({RESPONDER_ROLE, *(name.removeprefix(prefix) for name in names)})


def _strangers(role: str, policies: RolePolicies) -> Iterator[Finding]:
    """Pulumi does not know of these, so that no `pulumi up` takes them away."""
    for arn in policies.attached:
        fix = f"`aws iam detach-role-policy --role-name {role} --policy-arn {arn}`"
        yield Finding("policies", FAIL, f"{role} has a policy that is not the kit's: {arn}", fix)
    for name in policies.inline:
        fix = f"`aws iam delete-role-policy --role-name {role} --policy-name '{name}'`"
        yield Finding("policies", FAIL, f"{role} has an inline policy of others: {name}", fix)


def _meaning(place: Place, role: str, policies: RolePolicies) -> Iterator[Finding]:
    if expected := pinned(place, Pinned.ROLE, role):
        yield _as_pinned(role, policies, expected)
    elif role == RESPONDER_ROLE:
        yield _as_declared(place, policies)


def _as_pinned(role: str, policies: RolePolicies, expected: str) -> Finding:
    documents = policies.documents
    if policy_digest(documents.values()) == expected:
        return Finding("policies", OK, f"{role} may do what was generated for it")
    for arn in documents:
        rest = [document for other, document in documents.items() if other != arn]
        if policy_digest(rest) == expected:
            fix = f"`aws iam detach-role-policy --role-name {role} --policy-arn {arn}`"
            return Finding("policies", FAIL, f"{role} has one policy too many: {arn}", fix)
    detail = f"the policies of {role} are not those that `pulumi up` generated"
    return Finding("policies", FAIL, detail + _difference(role, documents, {}), REFRESH)


def _as_declared(place: Place, policies: RolePolicies) -> Finding:
    manifest = place.trust.manifest
    facts = {"partition": place.identity.partition, "account": place.identity.account}
    if manifest.vault_bucket:
        facts |= {"vault": manifest.vault_bucket, "vault_key": manifest.vault_key_arn}
    if text := _difference(RESPONDER_ROLE, policies.documents, facts):
        detail = f"{RESPONDER_ROLE} is not allowed just what this version declares{text}"
        return Finding("policies", FAIL, detail, REFRESH)
    detail = f"{RESPONDER_ROLE} may do what this version declares, and no policy is pinned"
    return Finding("policies", WARN, detail, "`cordon trust import` pins what was generated.")


def _difference(
    role: str, documents: Mapping[str, Mapping[str, Any]], facts: Mapping[str, str]
) -> str:
    """What is allowed beyond the declarations, and what of them is not; empty where neither."""
    if role != RESPONDER_ROLE:
        return ""
    compared = declared_grants.compare(documents.values(), facts)
    return _some(" | too much: ", compared.extra) + _some(" | lacking: ", compared.missing)


def _some(title: str, lines: tuple[str, ...]) -> str:
    if not lines:
        return ""
    more = f" and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return title + "; ".join(lines[:SHOWN]) + more
