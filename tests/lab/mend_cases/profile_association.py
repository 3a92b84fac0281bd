"""Cases of `lab.mends.profile_association`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case, instance, scene


@case
def a_replaced_profile_shows(account: Account) -> None:
    made = scene(account)
    ec2, iam = account.client("ec2"), account.client("iam")
    profiles = [
        iam.create_instance_profile(InstanceProfileName=n, Path="/app/")["InstanceProfile"]
        for n in ("old", "new")
    ]
    first = ec2.associate_iam_instance_profile(
        InstanceId=made.instance, IamInstanceProfile={"Arn": profiles[0]["Arn"]}
    )["IamInstanceProfileAssociation"]["AssociationId"]
    shown = instance(account, made.instance)["IamInstanceProfile"]
    assert shown == {"Arn": profiles[0]["Arn"], "Id": profiles[0]["InstanceProfileId"]}
    second = ec2.replace_iam_instance_profile_association(
        AssociationId=first, IamInstanceProfile={"Name": "new"}
    )["IamInstanceProfileAssociation"]["AssociationId"]
    shown = instance(account, made.instance)["IamInstanceProfile"]
    assert shown == {"Arn": profiles[1]["Arn"], "Id": profiles[1]["InstanceProfileId"]}
    assert second != first
    ec2.disassociate_iam_instance_profile(AssociationId=second)
    assert "IamInstanceProfile" not in instance(account, made.instance)
