"""JSON as Python holds it: what actions write into the journal, and scripts print."""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = Any
"""Any JSON value. Whoever wrote it knows its shape; whoever reads foreign JSON must check it."""
JsonObject: TypeAlias = dict[str, Any]
"""A JSON object."""
