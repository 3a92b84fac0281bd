"""Cases of `lab.mends.console`: what AWS does and plain moto does not."""

from __future__ import annotations

import base64

from tests.lab.mend_cases.account import Account, case, refused, scene


@case
def the_console_has_a_screen(account: Account) -> None:
    made = scene(account)
    answer = account.client("ec2").get_console_screenshot(InstanceId=made.instance)
    assert base64.b64decode(answer["ImageData"])[:3] == b"\xff\xd8\xff"


@case
def the_latest_console_output_needs_nitro(account: Account) -> None:
    made, old = scene(account), scene(account, "t2.micro")
    ec2 = account.client("ec2")
    assert (
        "Linux version" in ec2.get_console_output(InstanceId=made.instance, Latest=True)["Output"]
    )
    with refused("UnsupportedOperation"):
        ec2.get_console_output(InstanceId=old.instance, Latest=True)
