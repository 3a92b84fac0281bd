"""Makes moto, in this process, the account that the lab needs: mended, completed, recorded.

The effect is the same under `mock_aws` and in moto's server, because both pass the door and both
use the backends that the mends patch.
"""

from __future__ import annotations

from lab.authorization import Authorization
from lab.calls import Calls
from lab.denials import refuse_denied
from lab.faults import Faults
from lab.gate import door
from lab.gate.answers import answers
from lab.mends import mend_all
from lab.mends.access_keys import refuse_dead_keys
from lab.mends.regions import refuse_disabled
from lab.trail.trail import Trail

FAULTS = Faults()
CALLS = Calls()
TRAIL = Trail()
AUTHORIZATION = Authorization()


def mend() -> None:
    """Mends moto once; further calls change nothing."""
    if answers in door.layers():
        return
    mend_all()
    TRAIL.mend()
    door.add_layer(TRAIL.layer)
    door.add_layer(CALLS.layer)
    door.add_layer(FAULTS.layer)
    door.add_layer(refuse_disabled)
    door.add_layer(refuse_dead_keys)
    door.add_layer(refuse_denied)
    door.add_layer(AUTHORIZATION.layer)
    door.add_layer(answers)
    door.install()
