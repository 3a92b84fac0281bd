"""Every event as one JSON object a line: for Timesketch, or as OCSF's API Activity.

Timesketch needs `message`, `datetime` and `timestamp_desc` on each line (Timesketch user guide,
"Import data from JSON or CSV"). OCSF is the Open Cybersecurity Schema Framework, version 1.3.0,
class 6003 of category 6. What an attacker wrote is escaped by JSON: lines hold ASCII only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TextIO

from contract import VERSION
from responders.hunt.index import Row
from responders.hunt.table import Kind
from responders.hunt.techniques import techniques_of
from responders.json_values import Json, JsonObject

OCSF_VERSION = "1.3.0"
API_ACTIVITY, APPLICATION_ACTIVITY = 6003, 6
_ACTIVITIES = {
    Kind.CREATED.value: (1, "Create"),
    Kind.READ.value: (2, "Read"),
    Kind.CHANGED.value: (3, "Update"),
    Kind.SHARED.value: (3, "Update"),
    Kind.DESTROYED.value: (4, "Delete"),
}
"""OCSF's activities of the class, by our kinds; any other kind is 99, Other."""
_SEVERITIES = {
    Kind.READ.value: (1, "Informational"),
    Kind.ATTEMPTED.value: (2, "Low"),
    Kind.CHANGED.value: (3, "Medium"),
    Kind.SHARED.value: (4, "High"),
    Kind.ANTI_FORENSICS.value: (4, "High"),
    Kind.DESTROYED.value: (4, "High"),
}


def write_timesketch(file: TextIO, rows: Iterable[Row], labels: Mapping[int, str]) -> None:
    """Every event in Timesketch's form, in the order of time."""
    _write(file, (_timesketch(row, labels) for row in rows))


def write_ocsf(file: TextIO, rows: Iterable[Row], labels: Mapping[int, str]) -> None:
    """Every event as OCSF's API Activity, in the order of time."""
    _write(file, (_ocsf(row, labels) for row in rows))


def _write(file: TextIO, objects: Iterable[Mapping[str, Json]]) -> None:
    for each in objects:
        file.write(json.dumps(each, separators=(",", ":")) + "\n")


def _timesketch(row: Row, labels: Mapping[int, str]) -> JsonObject:
    call = f"{row.service.partition('.')[0]}:{row.name}"
    words = [call, *row.things, f"by {row.actor or row.key or 'nobody named'}"]
    words += [f"with {', '.join(row.shared_with)}"] if row.shared_with else []
    words += [f"failed: {row.error}"] if row.error else []
    return {
        "message": " ".join(words),
        "datetime": row.time,
        "timestamp_desc": "CloudTrail event",
        "kind": row.kind,
        "event_id": row.id,
        "service": row.service,
        "event_name": row.name,
        "region": row.region,
        "error": row.error,
        "things": list(row.things),
        "shared_with": list(row.shared_with),
        "actor": row.actor,
        "access_key": row.key,
        "invoked_by": row.invoked_by,
        "source_ip": row.ip,
        "user_agent": row.agent,
        "origin": labels.get(row.lead, ""),
        "techniques": list(techniques_of(row.service, row.name)),
    }


def _ocsf(row: Row, labels: Mapping[int, str]) -> JsonObject:
    activity, activity_name = _ACTIVITIES.get(row.kind, (99, "Other"))
    severity, severity_name = _SEVERITIES.get(row.kind, (3, "Medium"))
    response = {"error": row.error, "message": row.error} if row.error else {}
    techniques = techniques_of(row.service, row.name)
    return {
        "class_uid": API_ACTIVITY,
        "class_name": "API Activity",
        "category_uid": APPLICATION_ACTIVITY,
        "category_name": "Application Activity",
        "activity_id": activity,
        "activity_name": activity_name,
        "type_uid": API_ACTIVITY * 100 + activity,
        "severity_id": severity,
        "severity": severity_name,
        "status_id": 2 if row.error else 1,
        "status": "Failure" if row.error else "Success",
        "time": int(datetime.fromisoformat(row.time).timestamp() * 1000),
        "metadata": {
            "version": OCSF_VERSION,
            "uid": row.id,
            "product": {"name": "cordon", "version": VERSION},
            "log_name": "AWS CloudTrail",
        },
        "api": {
            "operation": row.name,
            "service": {"name": row.service},
            **({"response": response} if response else {}),
        },
        "actor": {
            "user": {"uid": row.actor, "credential_uid": row.key},
            **({"invoked_by": row.invoked_by} if row.invoked_by else {}),
        },
        "src_endpoint": _endpoint(row.ip),
        "http_request": {"user_agent": row.agent},
        "cloud": {"provider": "AWS", "region": row.region},
        "resources": [{"uid": each} for each in row.things],
        "attacks": [{"technique": {"uid": each}} for each in techniques],
        "unmapped": {
            "kind": row.kind,
            "origin": labels.get(row.lead, ""),
            "shared_with": list(row.shared_with),
        },
    }


def _endpoint(ip: str) -> dict[str, str]:
    """A service that calls has its name where others have an address."""
    return {"ip": ip} if ip[:1].isdigit() or ":" in ip else {"domain": ip} if ip else {}
