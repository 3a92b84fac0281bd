"""The bridge's one error."""

from __future__ import annotations


class BridgeError(ValueError):
    """The program can't be put as a Terraform plan; the text names what to do about it."""
