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
from policies.bridge.provider import Parameter, inside, properties
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
    parameters = properties(token)
    name = snake(token.rpartition(":")[2])
    yield f"[aws_{service(token)}_{name}]"
    yield f'token = "{token}"'
    yield f'has = "{_arguments(parameters)}"'
    yield from _blocks(parameters, "", ())


def _blocks(
    parameters: Mapping[str, Parameter], path: str, above: tuple[str, ...]
) -> Iterator[str]:
    for key, parameter in sorted(parameters.items()):
        if parameter.objects is None or parameter.document or parameter.objects in above:
            continue
        name = _singular(snake(key)) if parameter.is_list else snake(key)
        mark = ("[]" if parameter.is_list else "") + _rename(name, key)
        within = inside(parameter.objects)
        yield f'"{path}{name}{mark}" = "{_arguments(within)}"'
        yield from _blocks(within, f"{path}{name}.", (*above, parameter.objects))


def _arguments(parameters: Mapping[str, Parameter]) -> str:
    plain = (
        (key, parameter)
        for key, parameter in parameters.items()
        if parameter.document or not parameter.objects
    )
    return " ".join(
        sorted(
            f"{snake(key)}{_mark(parameter)}{_rename(snake(key), key)}" for key, parameter in plain
        )
    )


def _mark(parameter: Parameter) -> str:
    return "@" if parameter.document else "{}" if parameter.map else ""


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
