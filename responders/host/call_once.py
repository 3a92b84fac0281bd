"""Calls that must not be carried out twice: EC2 and Systems Manager have no token for them.

boto3 tries a call again when the connection breaks, though it may have been carried out by then:
five sets of snapshots instead of one. Such a call is tried again only when AWS said that it
refused it for being one too many. Whoever makes it looks afterwards what came of a lost answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from responders.action import Incident
from responders.aws import code_of

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


def once(incident: Incident, service: str, call: Callable[[Any], Any]) -> Any:
    """What `call` gives for a client of the service that never tries anything again by itself."""
    client = incident.aws.client(service, incident.region, attempts=1)
    attempt = 1
    while True:
        try:
            return call(client)
        except Exception as error:
            if code_of(error) not in THROTTLED or attempt == ATTEMPTS:
                raise
        incident.wait(PAUSE * 2 ** (attempt - 1))
        attempt += 1
