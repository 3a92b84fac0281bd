"""Cases of `lab.mends.metadata_options`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case, instance, scene


@case
def options_that_a_call_does_not_name_stay(account: Account) -> None:
    made = scene(account)
    ec2 = account.client("ec2")
    ec2.modify_instance_metadata_options(InstanceId=made.instance, HttpTokens="required")
    ec2.modify_instance_metadata_options(InstanceId=made.instance, HttpEndpoint="disabled")
    options = instance(account, made.instance)["MetadataOptions"]
    assert (options["HttpTokens"], options["HttpEndpoint"]) == ("required", "disabled")
    assert options["HttpPutResponseHopLimit"] == 1
