"""What moto 5.2.5 does otherwise than AWS, or not at all: one file each.

A mend is a module with a docstring that states AWS's rule and where it is documented, and a
function `mend` that is called once. Everything a mend keeps is kept on moto's own backends, so it
ends when they are emptied.
"""

from __future__ import annotations

import sys
from types import FunctionType

from contract import load_units

MENDS: dict[str, FunctionType] = load_units(sys.modules[__name__], "mend", FunctionType)
"""Every mend by its name."""


def mend_all() -> None:
    """Applies every mend."""
    for mend in MENDS.values():
        mend()
