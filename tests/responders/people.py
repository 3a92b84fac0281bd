"""An account with people in it: alice and her credentials, bob, a role, and a vault."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.conftest import AwsLab
from tests.responders.conftest import REGION, prepare_vault

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com", "AWS": "arn:aws:iam::999988887777:root"},
            "Action": "sts:AssumeRole",
        }
    ],
}
READ = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}],
}
CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBhTCCASugAwIBAgIQIRi6zePL6mKjOipn+dNuaTAKBggqhkjOPQQDAjASMRAw
DgYDVQQKEwdBY21lIENvMB4XDTE3MTAyMDE5NDMwNloXDTE4MTAyMDE5NDMwNlow
EjEQMA4GA1UEChMHQWNtZSBDbzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABD0d
7VNhbWvZLWPuj/RtHFjvtJBEwOkhbN/BnnE8rnZR8+sbwnc/KhCk3FhnpHZnQz7B
5aETbbIgmuvewdjvSBSjYzBhMA4GA1UdDwEB/wQEAwICpDATBgNVHSUEDDAKBggr
BgEFBQcDATAPBgNVHRMBAf8EBTADAQH/MCkGA1UdEQQiMCCCDmxvY2FsaG9zdDo1
NDUzgg4xMjcuMC4wLjE6NTQ1MzAKBggqhkjOPQQDAgNIADBFAiEA2zpJEPQyz6/l
Wf86aX6PepsntZv2GYlA5UpabfT2EZICICpJ5h/iI+i341gBmLiAFQOyTDT+/wQc
6MF9+Yw1Yy0t
-----END CERTIFICATE-----
"""


@dataclass
class People:
    """`region` is where the vault is; `instance` only fits `Life`'s idea of a world."""

    lab: AwsLab
    keys: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    certificate: str = ""
    ssh_key: str = ""
    service_credential: str = ""
    role_id: str = ""
    region: str = REGION
    instance: str = ""

    @property
    def iam(self) -> Any:
        """Plain boto3, as the owner."""
        return self.lab.client("iam", self.region)

    @property
    def key(self) -> str:
        """Alice's first key."""
        return self.keys[0]

    def as_alice(self, service: str) -> Any:
        """A client with alice's first key."""
        import boto3

        return boto3.client(
            service,
            region_name=self.region,
            aws_access_key_id=self.keys[0],
            aws_secret_access_key=self.secrets[0],
        )

    def statuses(self, user: str = "alice") -> dict[str, str]:
        """Key id to status, as IAM says now."""
        found = self.iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
        return {k["AccessKeyId"]: k["Status"] for k in found}

    def inline(self, name: str = "alice", kind: str = "user") -> dict[str, Any]:
        """Inline policies of a user or role, as IAM says now."""
        who = {f"{kind.title()}Name": name}
        names = getattr(self.iam, f"list_{kind}_policies")(**who)["PolicyNames"]
        get = getattr(self.iam, f"get_{kind}_policy")
        return {n: get(**who, PolicyName=n)["PolicyDocument"] for n in names}

    def attached(self, name: str = "alice", kind: str = "user") -> list[str]:
        """ARNs of the managed policies attached to a user or role."""
        who = {f"{kind.title()}Name": name}
        found = getattr(self.iam, f"list_attached_{kind}_policies")(**who)["AttachedPolicies"]
        return sorted(p["PolicyArn"] for p in found)

    def own_policies(self) -> list[str]:
        """Managed policies of the account under the kit's path."""
        found = self.iam.list_policies(Scope="Local", PathPrefix="/cordon/")["Policies"]
        return sorted(p["Arn"] for p in found)

    def state(self) -> dict[str, Any]:
        """All that a response to alice or to the role may change."""
        certificates = self.iam.list_signing_certificates(UserName="alice")["Certificates"]
        ssh = self.iam.list_ssh_public_keys(UserName="alice")["SSHPublicKeys"]
        services = self.iam.list_service_specific_credentials(UserName="alice")
        return {
            "keys": self.statuses(),
            "inline": self.inline(),
            "attached": self.attached(),
            "certificates": {c["CertificateId"]: c["Status"] for c in certificates},
            "ssh": {k["SSHPublicKeyId"]: k["Status"] for k in ssh},
            "services": {
                c["ServiceSpecificCredentialId"]: c["Status"]
                for c in services["ServiceSpecificCredentials"]
            },
            "role inline": self.inline("deployer", "role"),
            "role attached": self.attached("deployer", "role"),
            "managed": self.own_policies(),
        }

    def allow_all(self) -> None:
        """Lets alice do anything."""
        statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        self.iam.put_user_policy(
            UserName="alice", PolicyName="all", PolicyDocument=_compact(statement)
        )

    def fill(self, characters: int, name: str = "alice", kind: str = "user") -> None:
        """Uses up so much of the room for inline policies."""
        statement = {**READ["Statement"][0], "Resource": "arn:aws:s3:::"}
        left = characters - len(_compact(statement))
        statement["Resource"] += "x" * left
        put = getattr(self.iam, f"put_{kind}_policy")
        put(
            **{f"{kind.title()}Name": name},
            PolicyName="filler",
            PolicyDocument=_compact(statement),
        )


def _compact(statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


def populate(lab: AwsLab, *, vault: bool = True) -> People:
    """The account of `People`; without `vault` in one that is prepared already."""
    people = People(lab)
    iam = people.iam
    iam.create_group(GroupName="developers")
    iam.put_group_policy(GroupName="developers", PolicyName="read", PolicyDocument=json.dumps(READ))
    there = {user["UserName"] for user in iam.list_users()["Users"]}
    for name in {"alice", "bob"} - there:
        iam.create_user(UserName=name)
    iam.add_user_to_group(GroupName="developers", UserName="alice")
    iam.put_user_policy(UserName="alice", PolicyName="own", PolicyDocument=json.dumps(READ))
    iam.create_login_profile(UserName="alice", Password="Example-Password-1")
    for _ in range(2):
        made = iam.create_access_key(UserName="alice")["AccessKey"]
        people.keys.append(made["AccessKeyId"])
        people.secrets.append(made["SecretAccessKey"])
    uploaded = iam.upload_signing_certificate(UserName="alice", CertificateBody=CERTIFICATE)
    people.certificate = uploaded["Certificate"]["CertificateId"]
    ssh = iam.upload_ssh_public_key(UserName="alice", SSHPublicKeyBody="ssh-rsa AAAAexample")
    people.ssh_key = ssh["SSHPublicKey"]["SSHPublicKeyId"]
    service = iam.create_service_specific_credential(
        UserName="alice", ServiceName="codecommit.amazonaws.com"
    )["ServiceSpecificCredential"]
    people.service_credential = service["ServiceSpecificCredentialId"]
    role = iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=json.dumps(TRUST))
    people.role_id = role["Role"]["RoleId"]
    iam.put_role_policy(RoleName="deployer", PolicyName="own", PolicyDocument=json.dumps(READ))
    if vault:
        prepare_vault(lab, people.region)
    return people
