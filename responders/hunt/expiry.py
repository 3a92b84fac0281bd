"""When a temporary credential ends, in the forms in which CloudTrail writes it."""

from __future__ import annotations

from datetime import UTC, datetime

_FORMS = ("%b %d, %Y %I:%M:%S %p", "%b %d, %Y, %I:%M:%S %p")
"""`Mar 1, 2026 1:00:00 PM`, with a comma after the year in newer records; always UTC."""


def expiry(text: str) -> datetime | None:
    """The moment (UTC); None when the record has none, or in a form that nobody knows."""
    plain = " ".join(text.split())  # a narrow space stands before AM and PM in some records
    try:
        moment = datetime.fromisoformat(plain)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except ValueError:
        pass
    for form in _FORMS:
        try:
            return datetime.strptime(plain, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
