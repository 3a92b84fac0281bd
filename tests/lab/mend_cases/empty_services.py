"""Cases of `lab.mends.empty_services`: what AWS does and plain moto does not."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.lab.mend_cases.account import Account, case


@case
def services_that_nobody_uses_answer(account: Account) -> None:
    lightsail = account.client("lightsail")
    assert lightsail.get_instances()["instances"] == []
    with pytest.raises(ClientError, match="NotFoundException"):
        lightsail.get_instance(instanceName="gone")
    cloudformation = account.client("cloudformation")
    assert cloudformation.describe_stacks()["Stacks"] == []
    with pytest.raises(ClientError, match="Stack with id gone does not exist"):
        cloudformation.describe_stacks(StackName="gone")
