"""Makes a user's other credentials inactive: signing certificates, SSH keys, service passwords.

Service-specific credentials are the user names and passwords, or API keys, of single services, such
as CodeCommit, Keyspaces and Bedrock. Release makes all of them active again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from responders.action import Action, Incident, Observation
from responders.aws import expecting
from responders.identity.deny_policy import USERS
from responders.identity.principal import Principal
from responders.permissions import allow

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient


@dataclass(frozen=True)
class Kind:
    """One kind of credential: how it is listed and changed."""

    name: str
    operation: str
    field: str
    id: str

    def all(self, client: IAMClient, user: str) -> Iterator[tuple[str, str]]:
        """Id and status of each. A user that is gone has none."""
        listing = getattr(client, f"list_{self.operation}s")
        marker: dict[str, str] = {}
        with expecting("NoSuchEntity"):
            while True:
                answer = listing(UserName=user, **marker)
                yield from ((str(e[self.id]), str(e["Status"])) for e in answer[self.field])
                if not answer.get("IsTruncated"):
                    return
                marker = {"Marker": str(answer["Marker"])}

    def update(self, client: IAMClient, user: str, credential: str, status: str) -> None:
        """Sets one credential's status."""
        change = getattr(client, f"update_{self.operation}")
        change(UserName=user, **{self.id: credential}, Status=status)


KINDS = (
    Kind("signing certificate", "signing_certificate", "Certificates", "CertificateId"),
    Kind("SSH public key", "ssh_public_key", "SSHPublicKeys", "SSHPublicKeyId"),
    Kind(
        "service credential",
        "service_specific_credential",
        "ServiceSpecificCredentials",
        "ServiceSpecificCredentialId",
    ),
)


class DeactivateCredentials(Action[Principal]):
    """Status `Inactive`; nothing is deleted."""

    name = "deactivate-credentials"
    permissions = (
        allow(
            "iam:ListSigningCertificates",
            "iam:ListSSHPublicKeys",
            "iam:ListServiceSpecificCredentials",
            on=USERS,
            because="reads the status of a user's other credentials",
        ),
        allow(
            "iam:UpdateSigningCertificate",
            "iam:UpdateSSHPublicKey",
            "iam:UpdateServiceSpecificCredential",
            on=USERS,
            because="makes a user's other credentials inactive; release makes them active again",
            risk="can make any user's certificates and keys inactive, or active again",
        ),
    )

    def observe(self, incident: Incident[Principal]) -> Observation:
        """Kind and id to status; None for one that is gone."""
        client, user = incident.client("iam"), incident.subject.name
        found = {
            f"{kind.name} {credential}": status
            for kind in KINDS
            for credential, status in kind.all(client, user)
        }
        return dict(sorted({**dict.fromkeys(incident.known), **found}.items()))

    def lacks(self, incident: Incident[Principal], observation: Observation) -> tuple[str, ...]:
        """A line for each that is active."""
        return tuple(
            f"{key} is active" for key, status in observation.items() if status == "Active"
        )

    def act(self, incident: Incident[Principal], observation: Observation) -> None:
        """Every active one; one refusal stops no other."""
        _set(incident, {t: "Inactive" for t, status in observation.items() if status == "Active"})

    def undo(self, incident: Incident[Principal], before: Observation) -> None:
        """Each status as it was."""
        _set(incident, before)


def _set(incident: Incident[Principal], wanted: Observation) -> None:
    client, user = incident.client("iam"), incident.subject.name

    def update(key: str) -> None:
        name, _, credential = key.rpartition(" ")
        kind = next(k for k in KINDS if k.name == name)
        kind.update(client, user, credential, wanted[key])

    incident.aws.each(update, list(wanted))
