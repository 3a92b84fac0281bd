"""The console of an instance: what it printed, and a picture of its screen.

Moto lacks GetConsoleScreenshot and ignores `Latest`, which only instances built on Nitro support
(EC2 API, GetConsoleOutput). A screenshot needs a running instance. `say` sets what the console of
an instance shows.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from moto.ec2.models import ec2_backends

from lab.backends import regional
from lab.gate.answers import answer
from lab.gate.call import Call
from lab.gate.wire import AwsError
from lab.identity import now
from lab.mends.connection_tracking import is_nitro

BOOT = "[    0.000000] Linux version 6.1.0-lab (example) #1 SMP\r\nlab login: "
SCREEN = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJ"
    "DRENDg8QEBEQCgwSExIQEw8QEBD/yQALCAABAAEBAREA/8wABgAQEAX/2gAIAQEAAD8A0s8g/9k="
)
"""One black pixel, JPEG."""


def mend() -> None:
    """Answers both."""
    answer("ec2", "GetConsoleOutput")(_output)
    answer("ec2", "GetConsoleScreenshot")(_screenshot)


def say(account: str, region: str, instance_id: str, text: str) -> None:
    """Sets all that the instance's console printed."""
    ec2_backends[account][region].get_instance(instance_id).__dict__["lab_console"] = text


def _output(call: Call) -> dict[str, Any]:
    instance = regional(call).get_instance(call.params["InstanceId"])
    if call.params.get("Latest") and not is_nitro(instance.instance_type):
        raise AwsError(
            "UnsupportedOperation",
            "This instance type does not support retrieving the latest console logs. Only "
            "Nitro-based instances support this feature.",
        )
    text = instance.__dict__.get("lab_console", BOOT)
    at: datetime = now()
    output = base64.b64encode(text.encode()[-65_536:]).decode()
    return {"InstanceId": instance.id, "Timestamp": at, "Output": output}


def _screenshot(call: Call) -> dict[str, Any]:
    instance = regional(call).get_instance(call.params["InstanceId"])
    if instance.state != "running":
        raise AwsError(
            "IncorrectInstanceState", f"The instance '{instance.id}' is not in the 'running' state."
        )
    return {"InstanceId": instance.id, "ImageData": base64.b64encode(SCREEN).decode()}
