"""Which client belongs to which service, for mypy: at run time nothing here is imported or made.

With it `make lint` refuses a misspelt operation, parameter or key of an answer. A service that is
new here needs its stubs too: `types-boto3[...]` in pyproject.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypedDict, Unpack, overload

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from types_boto3_account import AccountClient
    from types_boto3_athena import AthenaClient
    from types_boto3_autoscaling import AutoScalingClient
    from types_boto3_cloudtrail import CloudTrailClient
    from types_boto3_ebs import EBSClient
    from types_boto3_ec2 import EC2Client
    from types_boto3_ecs import ECSClient
    from types_boto3_elb import ElasticLoadBalancingClient
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client
    from types_boto3_events import EventBridgeClient
    from types_boto3_glue import GlueClient
    from types_boto3_iam import IAMClient
    from types_boto3_kms import KMSClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_organizations import OrganizationsClient
    from types_boto3_rolesanywhere import IAMRolesAnywhereClient
    from types_boto3_s3 import S3Client
    from types_boto3_s3control import S3ControlClient
    from types_boto3_sesv2 import SESV2Client
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient
    from types_boto3_ssm import SSMClient
    from types_boto3_sts import STSClient
    from types_boto3_support import SupportClient


class How(TypedDict, total=False):
    """How a client calls: see `Aws.client`."""

    attempts: int
    own_endpoint: bool


class Clients(Protocol):
    """Gives the shared client of a service; without `region`, in the region it was made for.

    A service known only at run time gives the base of all clients: its operations are reached
    with `getattr`.
    """

    @overload
    def __call__(
        self, service: Literal["account"], region: str | None = None, **how: Unpack[How]
    ) -> AccountClient: ...

    @overload
    def __call__(
        self, service: Literal["athena"], region: str | None = None, **how: Unpack[How]
    ) -> AthenaClient: ...

    @overload
    def __call__(
        self, service: Literal["autoscaling"], region: str | None = None, **how: Unpack[How]
    ) -> AutoScalingClient: ...

    @overload
    def __call__(
        self, service: Literal["cloudtrail"], region: str | None = None, **how: Unpack[How]
    ) -> CloudTrailClient: ...

    @overload
    def __call__(
        self, service: Literal["ebs"], region: str | None = None, **how: Unpack[How]
    ) -> EBSClient: ...

    @overload
    def __call__(
        self, service: Literal["ec2"], region: str | None = None, **how: Unpack[How]
    ) -> EC2Client: ...

    @overload
    def __call__(
        self, service: Literal["ecs"], region: str | None = None, **how: Unpack[How]
    ) -> ECSClient: ...

    @overload
    def __call__(
        self, service: Literal["elb"], region: str | None = None, **how: Unpack[How]
    ) -> ElasticLoadBalancingClient: ...

    @overload
    def __call__(
        self, service: Literal["elbv2"], region: str | None = None, **how: Unpack[How]
    ) -> ElasticLoadBalancingv2Client: ...

    @overload
    def __call__(
        self, service: Literal["events"], region: str | None = None, **how: Unpack[How]
    ) -> EventBridgeClient: ...

    @overload
    def __call__(
        self, service: Literal["glue"], region: str | None = None, **how: Unpack[How]
    ) -> GlueClient: ...

    @overload
    def __call__(
        self, service: Literal["iam"], region: str | None = None, **how: Unpack[How]
    ) -> IAMClient: ...

    @overload
    def __call__(
        self, service: Literal["kms"], region: str | None = None, **how: Unpack[How]
    ) -> KMSClient: ...

    @overload
    def __call__(
        self, service: Literal["lambda"], region: str | None = None, **how: Unpack[How]
    ) -> LambdaClient: ...

    @overload
    def __call__(
        self, service: Literal["logs"], region: str | None = None, **how: Unpack[How]
    ) -> CloudWatchLogsClient: ...

    @overload
    def __call__(
        self, service: Literal["organizations"], region: str | None = None, **how: Unpack[How]
    ) -> OrganizationsClient: ...

    @overload
    def __call__(
        self, service: Literal["rolesanywhere"], region: str | None = None, **how: Unpack[How]
    ) -> IAMRolesAnywhereClient: ...

    @overload
    def __call__(
        self, service: Literal["s3"], region: str | None = None, **how: Unpack[How]
    ) -> S3Client: ...

    @overload
    def __call__(
        self, service: Literal["s3control"], region: str | None = None, **how: Unpack[How]
    ) -> S3ControlClient: ...

    @overload
    def __call__(
        self, service: Literal["sesv2"], region: str | None = None, **how: Unpack[How]
    ) -> SESV2Client: ...

    @overload
    def __call__(
        self, service: Literal["sns"], region: str | None = None, **how: Unpack[How]
    ) -> SNSClient: ...

    @overload
    def __call__(
        self, service: Literal["sqs"], region: str | None = None, **how: Unpack[How]
    ) -> SQSClient: ...

    @overload
    def __call__(
        self, service: Literal["ssm"], region: str | None = None, **how: Unpack[How]
    ) -> SSMClient: ...

    @overload
    def __call__(
        self, service: Literal["sts"], region: str | None = None, **how: Unpack[How]
    ) -> STSClient: ...

    @overload
    def __call__(
        self, service: Literal["support"], region: str | None = None, **how: Unpack[How]
    ) -> SupportClient: ...

    @overload
    def __call__(
        self, service: str, region: str | None = None, **how: Unpack[How]
    ) -> BaseClient: ...
