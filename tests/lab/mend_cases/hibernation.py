"""Cases of `lab.mends.hibernation`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case, refused


@case
def only_what_was_configured_hibernates_and_says_so(account: Account) -> None:
    ec2 = account.client("ec2")
    kind = {"ImageId": "ami-12345678", "InstanceType": "m7i.large", "MinCount": 1, "MaxCount": 1}
    able, unable = (
        ec2.run_instances(**kind, HibernationOptions={"Configured": configured})["Instances"][0][
            "InstanceId"
        ]
        for configured in (True, False)
    )
    with refused("UnsupportedHibernationConfiguration"):
        ec2.stop_instances(InstanceIds=[unable], Hibernate=True)
    ec2.stop_instances(InstanceIds=[able], Hibernate=True)
    found = ec2.describe_instances(InstanceIds=[able])["Reservations"][0]["Instances"][0]
    assert found["HibernationOptions"] == {"Configured": True}
    assert found["StateReason"]["Code"] == "Client.UserInitiatedHibernate"
    assert found["State"]["Name"] == "stopped"
