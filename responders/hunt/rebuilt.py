"""CloudTrail's records out of a table's rows: which column holds which member.

The columns are those of the Athena user guide ("Create the table for CloudTrail logs in Athena
using partition projection") and two more that a hunt asks for. The table has no column for the
whole record: a member that no column names is lost, and what is rebuilt is not the original.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from responders.json_values import Json, JsonObject

_TEXTS = {
    "eventversion": "eventVersion",
    "eventtime": "eventTime",
    "eventsource": "eventSource",
    "eventname": "eventName",
    "awsregion": "awsRegion",
    "sourceipaddress": "sourceIPAddress",
    "useragent": "userAgent",
    "errorcode": "errorCode",
    "errormessage": "errorMessage",
    "requestid": "requestID",
    "eventid": "eventID",
    "readonly": "readOnly",
    "eventtype": "eventType",
    "recipientaccountid": "recipientAccountId",
    "eventcategory": "eventCategory",
    "sessioncredentialfromconsole": "sessionCredentialFromConsole",
    "useridentity.type": "userIdentity.type",
    "useridentity.principalid": "userIdentity.principalId",
    "useridentity.arn": "userIdentity.arn",
    "useridentity.accountid": "userIdentity.accountId",
    "useridentity.invokedby": "userIdentity.invokedBy",
    "useridentity.accesskeyid": "userIdentity.accessKeyId",
    "useridentity.username": "userIdentity.userName",
    "useridentity.identityprovider": "userIdentity.identityProvider",
    "useridentity.sessioncontext.attributes.creationdate": (
        "userIdentity.sessionContext.attributes.creationDate"
    ),
    "useridentity.sessioncontext.attributes.mfaauthenticated": (
        "userIdentity.sessionContext.attributes.mfaAuthenticated"
    ),
    **{
        f"useridentity.sessioncontext.sessionissuer.{name.lower()}": (
            f"userIdentity.sessionContext.sessionIssuer.{name}"
        )
        for name in ("type", "principalId", "arn", "accountId", "userName")
    },
}
_JSON = {
    "requestparameters": "requestParameters",
    "responseelements": "responseElements",
    "additionaleventdata": "additionalEventData",
}
"""Columns whose text is JSON."""
COLUMNS = (*_TEXTS, *_JSON)
"""What a query selects, in this order."""
_PATHS = (*_TEXTS.values(), *_JSON.values())
NEEDED = frozenset(column.partition(".")[0] for column in COLUMNS)
"""Columns that a table must have."""


def record_of(row: Sequence[str | None]) -> Json:
    """The record of a row of `COLUMNS`; None when it can't be read (the hunt counts those)."""
    if len(row) != len(COLUMNS):
        return None
    record: JsonObject = {}
    for column, path, value in zip(COLUMNS, _PATHS, row, strict=True):
        if value is None:
            continue
        try:
            _put(record, path.split("."), json.loads(value) if column in _JSON else value)
        except (ValueError, RecursionError):
            return None
    return record


def _put(record: JsonObject, path: Sequence[str], value: Json) -> None:
    *parents, name = path
    for parent in parents:
        record = record.setdefault(parent, {})
    record[name] = value


def table_faults(columns: Mapping[str, str], partitions: Sequence[str]) -> list[str]:
    """What a table lacks for the questions of a hunt, a line each."""
    missing = sorted(NEEDED - {name.lower() for name in columns})
    lines = [f"it has no column {name}" for name in missing]
    return lines + [
        f"it is not partitioned by {name}" for name in ("account", "day") if name not in partitions
    ]
