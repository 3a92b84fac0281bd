"""One deny policy on a user or a role: read, put in force, taken away.

It is an inline policy. When the identity has no room left for it (2,048 characters for all inline
policies of a user, 10,240 of a role), it becomes a managed policy under `/cordon/`, attached to
this identity alone. Its state is None, or `{"as": "inline" | "managed", "document": …}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contract import IAM_PATH, TAG_CASE, TAG_KIT, deny_policy_name
from responders.action import Incident, Subject
from responders.aws import code_of, explain, pages
from responders.connection import hurried
from responders.identity import deny_document
from responders.identity.deny_document import Document
from responders.identity.principal import Principal
from responders.permissions import allow
from responders.tagging import with_fewer

MANAGED = "arn:{partition}:iam::{account}:policy" + IAM_PATH + deny_policy_name("*")
"""Only deny policies: the policies of the kit's roles lie under the same path."""
USERS = "arn:{partition}:iam::{account}:user/*"
ROLES = "arn:{partition}:iam::{account}:role/*"
NOT_THE_KITS = {"Null": {f"aws:ResourceTag/{TAG_KIT}": "true"}}
"""Whoever holds the responder role must not widen it, nor any other role of the kit: all of them
carry the kit's tag, whatever their purpose."""

PERMISSIONS = (
    allow(
        "iam:ListUserPolicies",
        "iam:GetUserPolicy",
        "iam:ListAttachedUserPolicies",
        on=USERS,
        because="reads a user's policies: for the record, and to see that a deny is in force",
    ),
    allow(
        "iam:ListRolePolicies",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        on=ROLES,
        because="reads a role's policies: for the record, and to see that a deny is in force",
    ),
    allow(
        "iam:PutUserPolicy",
        "iam:DeleteUserPolicy",
        on=USERS,
        because="denies a user's sessions, or everything; release removes it",
        risk="can write any inline policy on any user, so it can grant rights to one it controls",
    ),
    allow(
        "iam:PutRolePolicy",
        "iam:DeleteRolePolicy",
        on=ROLES,
        when=NOT_THE_KITS,
        because="denies a role's sessions, or everything; release removes it",
        risk="can write any inline policy on any role but the kit's, so it can grant rights to one "
        "it controls",
    ),
    allow(
        "iam:AttachUserPolicy",
        "iam:DetachUserPolicy",
        on=USERS,
        when={"ArnLike": {"iam:PolicyARN": MANAGED}},
        because="attaches the deny policy where a user has no room for an inline one",
        risk="can attach a policy that it wrote itself to any user",
    ),
    allow(
        "iam:AttachRolePolicy",
        "iam:DetachRolePolicy",
        on=ROLES,
        when={"ArnLike": {"iam:PolicyARN": MANAGED}, **NOT_THE_KITS},
        because="attaches the deny policy where a role has no room for an inline one",
        risk="can attach a policy that it wrote itself to any role but the kit's",
    ),
    allow(
        "iam:CreatePolicy",
        "iam:DeletePolicy",
        "iam:GetPolicy",
        "iam:CreatePolicyVersion",
        "iam:DeletePolicyVersion",
        "iam:ListPolicyVersions",
        "iam:TagPolicy",
        on=MANAGED,
        because="keeps the deny policy where an identity has no room for an inline one",
        risk="can write managed policies whose names begin as those of the kit's deny policies",
    ),
    allow(
        "iam:GetPolicyVersion",
        on=(MANAGED, "arn:{partition}:iam::*:policy/*"),
        because="reads what a managed policy says",
    ),
)

UNREAD: Mapping[str, Any] = {"as": "unread"}
"""The state of a policy that could not be read."""
SETTLES = 20.0
"""Seconds that a change of IAM may take to be seen; it is eventually consistent."""


def as_absent(state: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The state, with one that could not be read taken for none."""
    return None if state == UNREAD else state


class NoRoom(Exception):
    """Neither an inline nor a managed policy fits any more."""


class IdentityPolicy:
    """The deny policy `name` on one principal."""

    def __init__(self, incident: Incident[Subject], principal: Principal, name: str) -> None:
        self.principal, self.name = principal, name
        self._incident = incident
        self._iam = incident.client("iam")
        self._kind = principal.kind
        self._who = {f"{self._kind.title()}Name": principal.name}
        self._managed_name = deny_document.shortened(f"{name}={self._kind}.{principal.name}")
        self._arn = (
            f"arn:{incident.partition}:iam::{incident.account}:policy{IAM_PATH}{self._managed_name}"
        )

    def read(self) -> Mapping[str, Any] | None:
        """Its state now: the inline one, else the managed one if it is attached, else None."""
        document = self._inline(self.name)
        if document is not None:
            return {"as": "inline", "document": document}
        if not self._attached():
            return None
        version = self._iam.get_policy(PolicyArn=self._arn)["Policy"]["DefaultVersionId"]
        answer = self._iam.get_policy_version(PolicyArn=self._arn, VersionId=version)
        return {"as": "managed", "document": answer["PolicyVersion"]["Document"]}

    def read_if_possible(self) -> Mapping[str, Any] | None:
        """Its state now; `UNREAD`, and a note told, when IAM does not say.

        That is no reason to leave the identity as it is: the policy's name is the case's own, so
        that to write it overwrites nothing of anybody else.
        """
        try:
            return self.read()
        except Exception as error:
            self._incident.note(f"whether {self.name} is in force is not known: {explain(error)}")
            return UNREAD

    def enforce(self, document: Document) -> str:
        """Puts the policy in force; gives a note when it had to be a managed one.

        `NoRoom` when nothing fits. Waits until IAM shows it.
        """
        note = self._write(document)
        self._incident.wait_for(
            lambda: deny_document.covers((self.read() or {}).get("document"), document),
            seconds=SETTLES,
            every=1.0,
        )
        return note

    def restore(self, before: Mapping[str, Any] | None) -> None:
        """Makes the state `before` again: gone, where it was not known."""
        before = as_absent(before)
        now = self.read()
        if now is not None and (before is None or now["as"] != before["as"]):
            if now["as"] == "managed":
                self._remove_managed()
            else:
                self._call("delete", PolicyName=self.name)
        if before is not None and now != before:
            put = self._put_inline if before["as"] == "inline" else self._put_managed
            put(before["document"])
        self._incident.wait_for(lambda: self.read() == before, seconds=SETTLES, every=1.0)

    # -- inline --

    def _write(self, document: Document) -> str:
        left = self._room()
        if deny_document.size(document) <= left:
            try:
                self._put_inline(document)
                return ""
            except Exception as error:
                if code_of(error) != "LimitExceeded":
                    raise
        limit = deny_document.INLINE_LIMITS[self._kind]
        room = (
            f"{self.principal} has {max(left, 0)} of {limit} characters left for inline policies, "
            f"and the deny policy needs {deny_document.size(document)}"
        )
        try:
            self._put_managed(document)
        except Exception as error:
            if code_of(error) != "LimitExceeded":
                raise
            raise NoRoom(
                f"{room}; as a managed policy it does not fit either: {error}. Detach a managed "
                f"policy from {self.principal.name} or delete an inline one, and run this again"
            ) from error
        return f"{room}: it is the managed policy {self._arn}"

    def _room(self) -> int:
        """Characters left for this policy; all there can be, when it can't be read how many."""
        try:
            with hurried():
                others = [d for name, d in self._inline_policies() if name != self.name]
        except Exception:
            others = []  # AWS's own refusal tells it as well
        return deny_document.room(self._kind, others)

    def _inline_policies(self) -> Iterator[tuple[str, Document]]:
        operation = f"list_{self._kind}_policies"
        for name in pages(self._iam, operation, "PolicyNames", **self._who):
            document = self._inline(name)
            if document is not None:
                yield name, document

    def _inline(self, name: str) -> Document | None:
        try:
            answer = self._call("get", PolicyName=name)
        except Exception as error:
            if code_of(error) == "NoSuchEntity":
                return None
            raise
        found: Document = answer["PolicyDocument"]
        return found

    def _put_inline(self, document: Document) -> None:
        self._call("put", PolicyName=self.name, PolicyDocument=deny_document.text(document))

    # -- managed --

    def _attached(self) -> bool:
        """Whether the managed policy is attached; it is not to an identity that is gone."""
        operation = f"list_attached_{self._kind}_policies"
        try:
            attached = pages(
                self._iam, operation, "AttachedPolicies", **self._who, PathPrefix=IAM_PATH
            )
        except Exception as error:
            if code_of(error) == "NoSuchEntity":
                return False
            raise
        return any(policy["PolicyArn"] == self._arn for policy in attached)

    def _put_managed(self, document: Document) -> None:
        try:
            # A refused tag must not cost the deny.
            with_fewer(
                {TAG_CASE: self._incident.case},
                {},
                lambda tags: self._iam.create_policy(
                    PolicyName=self._managed_name,
                    Path=IAM_PATH,
                    PolicyDocument=deny_document.text(document),
                    Description=f"Cordon: denies {self.principal}",
                    Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
                ),
                lambda line: self._incident.note(f"{self._managed_name} was created {line}"),
            )
        except Exception as error:
            if code_of(error) != "EntityAlreadyExists":
                raise
            self._drop_versions()
            self._iam.create_policy_version(
                PolicyArn=self._arn, PolicyDocument=deny_document.text(document), SetAsDefault=True
            )
        self._call("attach", PolicyArn=self._arn)

    def _remove_managed(self) -> None:
        self._call("detach", PolicyArn=self._arn)
        self._drop_versions()
        self._iam.delete_policy(PolicyArn=self._arn)

    def _drop_versions(self) -> None:
        """Deletes all versions but the default one: at most five fit, and none may be left."""
        pages = self._iam.get_paginator("list_policy_versions").paginate(PolicyArn=self._arn)
        for version in [v for page in pages for v in page["Versions"]]:
            if not version["IsDefaultVersion"]:
                self._iam.delete_policy_version(PolicyArn=self._arn, VersionId=version["VersionId"])

    def _call(self, verb: str, **given: Any) -> Any:
        return getattr(self._iam, f"{verb}_{self._kind}_policy")(**self._who, **given)
