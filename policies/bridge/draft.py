"""`python -m policies.bridge.draft TOKEN`: a first draft of a section of the table.

Made from what the installed `pulumi_aws` says of the type. Compare it with Terraform's own page of
the resource before you add it: the Terraform type is a guess, and so is the singular of each
repeated block.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping

from policies.bridge.errors import BridgeError
from policies.bridge.provider import Given, inside, properties
from policies.bridge.table import camel, service


def main(arguments: list[str]) -> int:
    """Prints the draft; exits 2 for a token that pulumi_aws doesn't have."""
    if len(arguments) != 1:
        print("usage: python -m policies.bridge.draft aws:SERVICE/NAME:TYPE", file=sys.stderr)
        return 2
    try:
        print("\n".join(draft(arguments[0])))
    except BridgeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def draft(token: str) -> Iterator[str]:
    """The section's lines; BridgeError for a token that pulumi_aws doesn't have."""
    found = properties(token)
    name = snake(token.rpartition(":")[2])
    yield f"[aws_{service(token)}_{name}]"
    yield f'token = "{token}"'
    yield f'has = "{_arguments(found)}"'
    yield from _blocks(found, "", ())


def _blocks(found: Mapping[str, Given], path: str, above: tuple[str, ...]) -> Iterator[str]:
    for key, given in sorted(found.items()):
        if given.objects is None or given.document or given.objects in above:
            continue
        name = _singular(snake(key)) if given.many else snake(key)
        mark = ("[]" if given.many else "") + _rename(name, key)
        within = inside(given.objects)
        yield f'"{path}{name}{mark}" = "{_arguments(within)}"'
        yield from _blocks(within, f"{path}{name}.", (*above, given.objects))


def _arguments(found: Mapping[str, Given]) -> str:
    plain = ((key, given) for key, given in found.items() if given.document or not given.objects)
    return " ".join(
        sorted(f"{snake(key)}{_mark(given)}{_rename(snake(key), key)}" for key, given in plain)
    )


def _mark(given: Given) -> str:
    return "@" if given.document else "{}" if given.map else ""


def _rename(name: str, key: str) -> str:
    return "" if camel(name) == key else f"={key}"


def _singular(name: str) -> str:
    if name.endswith("ies"):
        return f"{name[:-3]}y"
    return name if name.endswith("ss") else name.removesuffix("s")


def snake(key: str) -> str:
    """Terraform's usual spelling of a wire name: `vpcId` becomes `vpc_id`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", key).lower()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
