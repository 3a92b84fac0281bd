"""How long a `pulumi preview` of a large account takes in the program itself, and how much memory.

    .venv/bin/python -m benchmarks.plan [--regions N] [--vpcs N]

Runs the real program with everything declared, in an imagined account: no engine, no provider, no
network. Pulumi's engine and its calls of AWS come on top; they do not depend on this program.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time

import boto3

from lab.plain import PlainMocks
from lab.program import Program, run_program
from responders import project

SIZES = (1, 8, 17)
"""Numbers of regions that are measured beside the largest: the cost should grow as they do."""


def account(regions: int, vpcs: int) -> PlainMocks:
    """An imagined account with some of the real regions, and so many VPCs in each."""
    names = boto3.Session().get_available_regions("ec2")[:regions]
    ids = [f"vpc-{number:017x}" for number in range(vpcs)]
    return PlainMocks(regions=names, home=names[0], vpcs=dict.fromkeys(names, ids))


def plan(regions: int, vpcs: int) -> tuple[Program, float]:
    """The program run once, and the seconds of processor time that it took."""
    mocks = account(regions, vpcs)
    config = {
        "aws:region": mocks.home,
        "stacks": ["account", "forensics"],
        "responders": ["arn:aws:iam::111122223333:user/alice"],
    }
    started = time.process_time()
    program = run_program(project.source("__main__.py"), config, mocks=mocks, preview=True)
    return program, time.process_time() - started


def main() -> None:
    """Prints one row per size, and the most memory that the process had."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--regions", type=int, default=34, help="regions of the largest account")
    parser.add_argument("--vpcs", type=int, default=30, help="VPCs in each region")
    options = parser.parse_args()
    plan(1, 1)  # imports, which a preview pays once
    rows = []
    for regions in (*(size for size in SIZES if size < options.regions), options.regions):
        program, seconds = plan(regions, options.vpcs)
        count = len(program.registrations)
        rows.append({"regions": regions, "resources": count, "seconds": round(seconds, 2)})
        each = 1000 * seconds / count
        print(f"{regions:3} regions  {count:6} resources  {seconds:6.2f} s  {each:.2f} ms each")
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"at most {kilobytes / 1024:.0f} MB")
    json.dump({"vpcs": options.vpcs, "rows": rows, "kilobytes": kilobytes}, sys.stderr)


if __name__ == "__main__":
    main()
