"""`python -m lab.plugin`: what the CLI starts as `pulumi-resource-aws`.

By Pulumi's protocol its first line of output is the port that it listens on, of the loopback.
"""

from __future__ import annotations

import os
import sys

from lab.plugin.serving import serving


def main() -> None:
    """Serves until its input or process ends."""
    with serving(os.environ) as (port, server):
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        server.wait_for_termination()


if __name__ == "__main__":
    main()
