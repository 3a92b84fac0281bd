"""The manifests of all enabled regions, read at once and within a bounded time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as OutOfTime
from dataclasses import dataclass, field

from contract import Manifest
from responders import prepared
from responders.aws import Aws, explain

PATIENCE = 5.0
"""Seconds for all regions together. A region that answers later is named as not compared."""


@dataclass(frozen=True)
class Survey:
    """Region to its manifest, the regions that have none, and those whose own is no manifest.

    `unread`: why others could not be read, which says nothing of what is there.
    """

    manifests: Mapping[str, Manifest] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    damaged: Mapping[str, str] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)


def survey(aws: Aws, regions: Iterable[str], patience: float | None = None) -> Survey:
    """Reads each manifest, waiting `patience` seconds at most; raises no error of AWS."""
    asked = {region: aws.spawn(prepared.manifest, aws, region) for region in sorted(regions)}
    patience = PATIENCE if patience is None else patience
    until = time.monotonic() + patience
    manifests: dict[str, Manifest] = {}
    absent: list[str] = []
    damaged: dict[str, str] = {}
    unread: dict[str, str] = {}
    for region, future in asked.items():
        try:
            manifest = _result(future, until)
        except OutOfTime:
            unread[region] = f"no answer within {patience:.0f} s"
        except ValueError as error:
            damaged[region] = str(error)
        except Exception as error:
            unread[region] = explain(error)
        else:
            if manifest is None:
                absent.append(region)
            else:
                manifests[region] = manifest
    return Survey(manifests, tuple(absent), damaged, unread)


def _result(future: Future[Manifest | None], until: float) -> Manifest | None:
    return future.result(max(0.0, until - time.monotonic()))
