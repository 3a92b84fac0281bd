"""CloudTrail Lake: an event data store that has every event of the account, of all regions.

Moto has no queries. Of a query only the quoted texts count: it finds the events that have one of
them, so more than SQL would, never less. (CloudTrail API, StartQuery, GetQueryResults.)
"""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

from moto.cloudtrail.models import cloudtrail_backends

from lab.backends import regional, shelf
from lab.gate.answers import answer
from lab.gate.call import Call
from lab.gate.wire import AwsError

ROWS = 1000
_QUOTED = re.compile(r"'((?:[^']|'')*)'")
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def mend() -> None:
    """Answers the operations of a query."""
    answer("cloudtrail", "StartQuery")(_start)
    answer("cloudtrail", "DescribeQuery")(_describe)
    answer("cloudtrail", "GetQueryResults")(_results)


def _start(call: Call) -> dict[str, Any]:
    statement = call.params["QueryStatement"]
    values = [t.replace("''", "'").lstrip("%/") for t in _QUOTED.findall(statement)]
    values = [text for text in values if not _TIME.fullmatch(text)]
    events = [e for e in _events(call.account) if any(json.dumps(w)[1:-1] in e for w in values)]
    query = str(uuid4())
    _queries(call)[query] = events
    return {"QueryId": query}


def _describe(call: Call) -> dict[str, Any]:
    _events_of(call)
    return {"QueryId": call.params["QueryId"], "QueryStatus": "FINISHED"}


def _results(call: Call) -> dict[str, Any]:
    events = _events_of(call)
    size = call.params.get("MaxQueryResults", ROWS)
    begin = int(call.params.get("NextToken", "from-0").removeprefix("from-"))
    next_page = {"NextToken": f"from-{begin + size}"} if begin + size < len(events) else {}
    rows = [[{"eventJson": event}] for event in events[begin : begin + size]]
    return {"QueryStatus": "FINISHED", "QueryResultRows": rows, **next_page}


def _events(account: str) -> list[str]:
    histories = [b.__dict__.get("lab_history") for b in cloudtrail_backends[account].values()]
    return [e["CloudTrailEvent"] for history in histories if history for e in history.events()]


def _queries(call: Call) -> dict[str, list[str]]:
    queries: dict[str, list[str]] = shelf(regional(call), "queries", dict)
    return queries


def _events_of(call: Call) -> list[str]:
    try:
        return _queries(call)[call.params["QueryId"]]
    except KeyError as error:
        raise AwsError("QueryIdNotFoundException", "There is no such query.") from error
