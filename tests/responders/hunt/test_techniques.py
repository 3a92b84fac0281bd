"""Techniques that events show."""

from __future__ import annotations

import re

from responders.hunt.table import table
from responders.hunt.techniques import catalog, techniques_of
from tests.responders.hunt.models import operations


def test_ids_are_those_of_the_catalogs_and_events_are_real() -> None:
    for technique, patterns in catalog().items():
        assert re.fullmatch(r"T1\d{3}(\.(\d{3}|A\d{3}))?", technique)
        for pattern in patterns:
            service, _, name = pattern.partition(":")
            known = {event for s, event in table().meanings if s == service}
            known |= {event for s, event in table().hints if s == service}
            known |= operations(service)
            beginning = name.rstrip("*")
            matches = {e for e in known if e == name or (e.startswith(beginning) and "*" in name)}
            assert matches, pattern


def test_an_event_shows_its_techniques_whatever_version_its_name_has() -> None:
    assert techniques_of("iam.amazonaws.com", "CreateAccessKey") == ("T1098.001",)
    assert techniques_of("lambda.amazonaws.com", "CreateFunction20150331") == ("T1648",)
    assert techniques_of("ec2", "DescribeInstances") == ("T1580",)
    assert techniques_of("s3", "GetObject") == ("T1530", "T1530.A001")
    assert techniques_of("newservice", "CreateWidget") == ()
