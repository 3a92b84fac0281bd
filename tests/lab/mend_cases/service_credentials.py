"""Cases of `lab.mends.service_credentials`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case


@case
def users_have_service_specific_credentials(account: Account) -> None:
    iam = account.client("iam")
    iam.create_user(UserName="alice")
    who = {"UserName": "alice"}
    made = iam.create_service_specific_credential(ServiceName="codecommit.amazonaws.com", **who)
    credential = made["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]
    iam.update_service_specific_credential(
        ServiceSpecificCredentialId=credential, Status="Inactive", **who
    )
    found = iam.list_service_specific_credentials(**who)["ServiceSpecificCredentials"]
    assert [(c["ServiceSpecificCredentialId"], c["Status"]) for c in found] == [
        (credential, "Inactive")
    ]
    iam.delete_service_specific_credential(ServiceSpecificCredentialId=credential, **who)
    assert iam.list_service_specific_credentials(**who)["ServiceSpecificCredentials"] == []
