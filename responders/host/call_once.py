"""Calls that must not be carried out twice: EC2 and Systems Manager have no token for them.

boto3 tries a call again when the connection breaks, though it may have been carried out by then:
five sets of snapshots instead of one. Such a call is tried again only when AWS said that it
refused it for being one too many. Whoever makes it looks afterwards what came of a lost answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from responders.action import Incident, Subject
from responders.aws import code_of

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_ssm import SSMClient

T = TypeVar("T")

THROTTLED = {
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "RequestThrottled",
}
ATTEMPTS = 5
PAUSE = 0.5
"""Seconds before the second attempt; each further pause is twice as long."""


@overload
def once(
    incident: Incident[Subject], service: Literal["ec2"], call: Callable[[EC2Client], T]
) -> T: ...


@overload
def once(
    incident: Incident[Subject], service: Literal["ssm"], call: Callable[[SSMClient], T]
) -> T: ...


def once(
    incident: Incident[Subject],
    service: Literal["ec2", "ssm"],
    call: Callable[[Any], T],
) -> T:
    """What `call` gives for a client of the service that never tries anything again by itself."""
    client: Any = incident.aws.client(str(service), incident.region, attempts=1)
    attempt = 1
    while True:
        try:
            return call(client)
        except Exception as error:
            if code_of(error) not in THROTTLED or attempt == ATTEMPTS:
                raise
        incident.wait(PAUSE * 2 ** (attempt - 1))
        attempt += 1
