"""The sessions with AWS that a command works with, and what to do when there can be none.

boto3 looks for credentials in many places, and each fails in a way of its own: with botocore's
errors, with those of Python (a program or a token file that is not there, output that is no JSON),
or with AWS's refusal of credentials that have expired. To a person all of that is one thing: these
credentials don't work, and nothing was touched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from responders import connection
from responders.errors import BadInput

if TYPE_CHECKING:
    import boto3

    from responders.aws import Access

REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d{1,2}")
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}
REFUSED = {
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
"""Codes of credentials that AWS does not take: no such key, or a wrong secret. A region that is not
enabled for the account answers in the same words (AWS general reference, "Common errors")."""
SKEWED = {"RequestExpired", "RequestTimeTooSkewed"}
"""Codes of a request whose time is too far from AWS's: this machine's clock is wrong."""


def sources(access: Access, case: str | None) -> list[boto3.Session]:
    """The session to work with, last, after the one that it assumed its role with, if it did.

    Gets the credentials of all: BadInput, with what to do, when there are none.
    """
    import boto3

    inner = _botocore_session()
    try:
        found = [boto3.Session(botocore_session=inner, profile_name=access.profile)]
        _check_ca_bundle(inner)
        _check_credentials(found[0])
        if access.role_arn:
            found.append(_assumed(found[0], access, access.role_arn, case))
            _check_credentials(found[1])
    except Exception as error:
        if known := trouble(error, access.profile):
            raise known from error
        raise
    return found


def trouble(error: BaseException, profile: str | None = None) -> BadInput | None:
    """What to tell when an error means that the session can't work; None for any other error."""
    if isinstance(error, BadInput):
        return error
    code = _code(error)
    if code in EXPIRED | REFUSED | SKEWED:
        return BadInput(f"AWS does not take these credentials: {_words(error)}", _refused(code))
    name = type(error).__name__
    if name in ("SSOTokenLoadError", "UnauthorizedSSOTokenError", "TokenRetrievalError"):
        return BadInput(f"you are not signed in: {error}", f"Run {_login(profile)}, then again.")
    if name == "ProfileNotFound":
        return BadInput(f"no session with AWS: {error}", "Check --profile and AWS_PROFILE.")
    if name == "InvalidRegionError":
        return BadInput(str(error), "Give --region such as eu-west-1.")
    if name in _WITHOUT_CREDENTIALS:
        return BadInput(
            f"no usable AWS credentials: {error}",
            "Set AWS_PROFILE or give --profile, and try `aws sts get-caller-identity`.",
        )
    return None


def raise_if_unusable(error: BaseException) -> None:
    """Raises what `trouble` makes of an error: for who goes on without an answer otherwise."""
    if bad := trouble(error):
        raise bad from error


_WITHOUT_CREDENTIALS = {
    "ConfigParseError",
    "CredentialRetrievalError",
    "InfiniteLoopConfigError",
    "InvalidConfigError",
    "LoginError",
    "LoginRefreshRequired",
    "LoginTokenLoadError",
    "MetadataRetrievalError",
    "MissingDependencyException",
    "NoAuthTokenError",
    "NoCredentialsError",
    "PartialCredentialsError",
    "RefreshWithMFAUnsupportedError",
    "SSOError",
    "UnknownCredentialError",
}
"""botocore's errors, by name: this module must not import it before a command needs it."""


def not_enabled(region: str) -> BadInput:
    """What to tell when credentials work elsewhere, and a region refuses them."""
    return BadInput(
        f"the region {region} is not enabled for this account",
        "Check --region; `aws ec2 describe-regions` lists the enabled ones.",
    )


def check_region(region: str) -> str:
    """The region's name; BadInput for what can be none."""
    if REGION.fullmatch(region):
        return region
    raise BadInput(f"{region!r} is not the name of a region", "Give one such as eu-west-1.")


def is_known(region: str) -> bool:
    """Whether this version of botocore knows a region, in any partition."""
    import botocore.session

    inner = botocore.session.get_session()
    partitions = inner.get_available_partitions()
    return any(region in inner.get_available_regions("ec2", p) for p in partitions)


def not_a_region(region: str) -> BadInput:
    """What to tell when nothing answers in a region whose name is well formed."""
    return BadInput(
        f"nothing that answers as AWS does is in {region}, and botocore knows no such region",
        "Check --region; `aws ec2 describe-regions --all-regions` lists all there are.",
    )


def _botocore_session() -> Any:
    """A session whose own calls for credentials end soon (SSO, a role to assume, web identity).

    By default each of those waits 60 s, five times over.
    """
    from botocore.config import Config
    from botocore.session import get_session

    inner = get_session()
    inner.set_default_client_config(
        Config(
            connect_timeout=connection.CONNECT_TIMEOUT,
            read_timeout=connection.HURRIED_READ_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": 2},
        )
    )
    return inner


def _check_ca_bundle(inner: Any) -> None:
    bundle = inner.get_config_variable("ca_bundle")
    if bundle and not Path(bundle).expanduser().exists():
        raise BadInput(
            f"the CA bundle {bundle} is not there",
            "Mend AWS_CA_BUNDLE, or `ca_bundle` in the AWS configuration file.",
        )


def _check_credentials(session: boto3.Session) -> None:
    """Gets the credentials now, so that what is wrong with them is told as that.

    An endpoint that can't be reached is no fault of theirs, and its error goes up as it is.
    """
    from botocore.exceptions import HTTPClientError, NoCredentialsError

    try:
        credentials = session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        credentials.get_frozen_credentials()
    except Exception as error:
        if isinstance(error, HTTPClientError) or trouble(error):
            raise
        raise BadInput(
            f"no usable AWS credentials: {_words(error)}",
            "Check what --profile or the environment names (credential_process, token file, role "
            "to assume), and try `aws sts get-caller-identity`.",
        ) from error


def _assumed(
    session: boto3.Session, access: Access, role_arn: str, case: str | None
) -> boto3.Session:
    """A session of the role, renewed by itself (one hour at a time, unless MFA was used)."""
    import boto3
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    extra: dict[str, Any] = {"RoleSessionName": f"cordon-{case or 'responder'}"[:64]}
    if access.external_id:
        extra["ExternalId"] = access.external_id
    if access.mfa_serial:
        extra["SerialNumber"] = access.mfa_serial
    region = access.region or session.region_name

    def regional(service: str, **options: Any) -> Any:
        return session._session.create_client(service, region_name=region, **options)

    fetcher = AssumeRoleCredentialFetcher(
        client_creator=regional,
        source_credentials=session.get_credentials(),
        role_arn=role_arn,
        extra_args=extra,
        mfa_prompter=lambda _prompt: access.mfa_code() if access.mfa_code else "",
    )
    # botocore has no public way to give a session credentials that refresh themselves.
    inner = _botocore_session()
    inner._credentials = DeferredRefreshableCredentials(
        method="assume-role", refresh_using=fetcher.fetch_credentials
    )
    return boto3.Session(botocore_session=inner, region_name=region)


def _refused(code: str) -> str:
    if code in EXPIRED:
        return "They have expired: sign in again (`aws sso login`), or get new ones."
    if code in SKEWED:
        return "The clock of this machine is wrong: set it, and try again."
    return (
        "Try `aws sts get-caller-identity`. If that works, the region is not enabled for the "
        "account: check --region."
    )


def _login(profile: str | None) -> str:
    return f"`aws sso login --profile {profile}`" if profile else "`aws sso login`"


def _code(error: BaseException) -> str:
    response = getattr(error, "response", None)
    details = response.get("Error", {}) if isinstance(response, Mapping) else {}
    return str(details.get("Code", ""))


def _words(error: BaseException) -> str:
    """An error in one line: AWS's words, or those of the system about a file."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error).strip() or type(error).__name__
