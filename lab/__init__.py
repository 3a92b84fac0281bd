"""An AWS account on this machine: moto, mended, and the Pulumi program run against it."""

from stacks.extras import require

# Here, because every way into the lab passes: the command, its help, and `python -m lab…`.
require("lab", "the lab")
