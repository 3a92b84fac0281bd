"""A second opinion that shares nothing with the rules here: parliament, with data of its own.

It judges identity and resource policies only; of a trust or a service control policy it knows
too little. What it can't judge well, or only advises, is in `OVERRULED` with the reason.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from importlib.resources import files
from types import ModuleType

from policies.judge.document import Document, Kind
from policies.judge.rules import Finding

KINDS = (Kind.IDENTITY, Kind.BOUNDARY, Kind.RESOURCE)
OVERRULED = {
    "RESOURCE_STAR": "CKV_CORDON_4 judges what is allowed on everything",
    "RESOURCE_MISMATCH": "it looks at one statement alone: `missing-resource` judges a whole role",
    "MISMATCHED_TYPE_BUT_USABLE": "it says itself that the operator works",
}


def second_opinion(documents: Iterable[Document]) -> Iterator[Finding]:
    """What parliament says about them, but for `OVERRULED`."""
    parliament = _parliament()
    for document in documents:
        if document.kind not in KINDS:
            continue
        for issue in parliament.analyze_policy_string(document.text).findings:
            if issue.issue not in OVERRULED:
                subject = re.sub(r"\s+", " ", str(issue.detail))
                yield Finding(issue.issue, f"{document.name}/{subject}", "parliament's finding")


def _parliament() -> ModuleType:
    """Parliament asks `pkg_resources` for its data files; setuptools has it no more since 82."""
    if "pkg_resources" not in sys.modules:
        stand_in = ModuleType("pkg_resources")
        stand_in.resource_filename = lambda package, name: str(files(package) / name)  # type: ignore[attr-defined]
        sys.modules["pkg_resources"] = stand_in
    import parliament

    module: ModuleType = parliament
    return module
