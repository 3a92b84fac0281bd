"""The Pulumi program: prepares what `cordon:stacks` names."""

import pulumi

from stacks.build import build

pulumi.run(build)
