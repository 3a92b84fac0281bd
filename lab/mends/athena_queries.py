"""Athena's queries and the metadata of its tables (Athena API; user guide, "Run queries").

Moto queues results for queries and runs none. Here a table is published together with whatever
answers a query on it, such as a database in the process. Results come in pages of which the first
begins with the columns' names, and a cell without a text is null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from moto.athena.models import athena_backends

from lab.backends import regional, shelf
from lab.gate.answers import answer
from lab.gate.call import Call
from lab.gate.wire import AwsError

ROWS = 1000
Rows = Sequence[Sequence[str | None]]


@dataclass(frozen=True)
class Table:
    """A table. `metadata` is as GetTableMetadata gives it; `run` answers a query with its rows.

    `scanned`: bytes that each query is billed for. `state`: how each query ends; one that is
    RUNNING goes on until it is stopped.
    """

    metadata: Mapping[str, Any]
    run: Callable[[str], Rows]
    scanned: int = 0
    state: str = "SUCCEEDED"


@dataclass
class _Query:
    table: Table
    rows: Rows
    state: str


def mend() -> None:
    """Answers the operations."""
    answer("athena", "GetTableMetadata")(_metadata)
    answer("athena", "StartQueryExecution")(_start)
    answer("athena", "GetQueryExecution")(_look)
    answer("athena", "GetQueryResults")(_results)
    answer("athena", "StopQueryExecution")(_stop)


def publish(account: str, region: str, name: str, table: Table) -> None:
    """Makes `database.table` known in a region, or replaces it."""
    _tables(athena_backends[account][region])[name] = table


def _tables(backend: Any) -> dict[str, Table]:
    tables: dict[str, Table] = shelf(backend, "tables", dict)
    return tables


def _metadata(call: Call) -> dict[str, Any]:
    name = f"{call.params['DatabaseName']}.{call.params['TableName']}"
    table = _tables(regional(call)).get(name)
    if table is None:
        raise AwsError("MetadataException", f"There is no table {name}.")
    return {"TableMetadata": {"Name": call.params["TableName"], **table.metadata}}


def _start(call: Call) -> dict[str, Any]:
    backend, sql = regional(call), call.params["QueryString"]
    if call.params["WorkGroup"] not in backend.work_groups:
        raise AwsError("InvalidRequestException", "WorkGroup is not found.")
    matches = [t for name, t in _tables(backend).items() if name in sql.replace('"', "")]
    if not matches:
        raise AwsError("InvalidRequestException", "The query names no table that there is.")
    (table,) = matches
    rows = table.run(sql) if table.state == "SUCCEEDED" else []
    _queries(call)[query := str(uuid4())] = _Query(table, rows, table.state)
    return {"QueryExecutionId": query}


def _look(call: Call) -> dict[str, Any]:
    query = _query(call)
    return {
        "QueryExecution": {
            "QueryExecutionId": call.params["QueryExecutionId"],
            "Status": {"State": query.state, "StateChangeReason": f"the lab says {query.state}"},
            "Statistics": {"DataScannedInBytes": query.table.scanned},
        }
    }


def _results(call: Call) -> dict[str, Any]:
    rows = _query(call).rows
    begin = int(call.params.get("NextToken", "from-0").removeprefix("from-"))
    header: Rows = [[f"column {n}" for n in range(len(rows[0]) if rows else 1)]]
    page = [*header, *rows][begin : begin + call.params.get("MaxResults", ROWS)]
    end = begin + len(page)
    token = {"NextToken": f"from-{end}"} if end < len(rows) + 1 else {}
    data = [{"Data": [{} if v is None else {"VarCharValue": v} for v in row]} for row in page]
    return {"ResultSet": {"Rows": data}, **token}


def _stop(call: Call) -> dict[str, Any]:
    _query(call).state = "CANCELLED"
    return {}


def _queries(call: Call) -> dict[str, _Query]:
    queries: dict[str, _Query] = shelf(regional(call), "queries", dict)
    return queries


def _query(call: Call) -> _Query:
    try:
        return _queries(call)[call.params["QueryExecutionId"]]
    except KeyError as error:
        raise AwsError("InvalidRequestException", "There is no such query.") from error
