"""Rules for what comes under control without a credential: principals, machines, code, pipelines.

Sources of the sessions' names: each service's user guide, where it tells how its sessions show in
CloudTrail.
"""

from __future__ import annotations

from collections.abc import Iterator

from responders.hunt.event import Event
from responders.hunt.follow import Account, Given, Rules, sessions_of
from responders.hunt.lead import Confidence
from responders.hunt.paths import pick, texts
from responders.hunt.subjects import (
    FORWARDED_FOR,
    Backdoor,
    Forwarded,
    Host,
    Provider,
    Role,
    Subject,
    User,
)

POSSIBLE = Confidence.POSSIBLE

# -- principals --


def user(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """Everything that a new user does."""
    for arn in event.texts("response.user.arn"):
        yield Given(User(arn))


def role(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """Every session of a new role."""
    for arn in event.texts("response.role.arn"):
        yield Given(Role(arn))


def trust(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """Callers of this account are not followed: theirs may be the trust that was there before."""
    for name in event.either("roleName"):
        yield Given(Backdoor(account.arn_of("role", name), account.id))


def provider(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """Every role assumed through an identity provider or trust anchor that was made or changed.

    Through one that existed, honest people go on signing in.
    """
    members = (
        "openIDConnectProviderArn",
        "openIDConnectProviderARN",
        "sAMLProviderArn",
        "trustAnchorArn",
        "profileArn",
    )
    new = event.name.startswith("Create")
    for arn in dict.fromkeys(text for member in members for text in event.either(member)):
        yield Given(Provider(arn), confidence=Confidence.CERTAIN if new else POSSIBLE)


# -- machines --


def launched(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """Instances that have a role. The profile of a launch template stands in the answer only."""
    requested = event.picks("request..iamInstanceProfile") or event.picks(
        "request..IamInstanceProfile"
    )
    template = event.picks("request..launchTemplate") or event.picks("request..LaunchTemplate")
    for item in event.picks("response.instancesSet.items.*"):
        has_profile = bool(requested or pick(item, "iamInstanceProfile"))
        if has_profile or template:
            # Records may leave the profile out; without one there are no sessions to be found.
            confidence = Confidence.CERTAIN if has_profile else POSSIBLE
            yield from (
                Given(Host(instance), confidence=confidence)
                for instance in texts(item, "instanceId")
            )


def fleet(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """Instances of a fleet of type `instant`, which alone names them in its answer."""
    sets = event.picks("response..instanceIds")
    ids = dict.fromkeys(instance for each in sets for instance in _every_text(each))
    yield from (Given(Host(instance)) for instance in ids if instance.startswith("i-"))


def reached(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """Machines on which somebody ran a command, opened a shell, or put a key: their role is theirs.

    `target` of a Session Manager session may be a container: `ecs:<cluster>_<task>_<runtime>`.
    """
    for target in event.either("target"):
        task = target.split("_")[1] if target.startswith("ecs:") and target.count("_") >= 2 else ""
        yield Given(Host(task or target))
    named = [*event.either("instanceId"), *event.either("instanceIds")]
    for target in dict.fromkeys(named):
        if target.startswith(("i-", "mi-")):
            yield Given(Host(target))


def user_data(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """New user data runs at the next start, if the machine is made to run it again."""
    if event.has("userData"):
        for instance in event.either("instanceId"):
            yield Given(Host(instance), confidence=POSSIBLE)


# -- code that runs under a role --


def function(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """The sessions of a function's role bear the function's name."""
    for full in event.either("functionName")[:1]:
        name = full.rpartition(":")[2] if not full.startswith("arn:") else _function_name(full)
        roles = event.either("role")
        for role_arn in roles:
            yield from sessions_of(role_arn, name)
        if not roles:
            yield Given(Host(name), confidence=POSSIBLE)


def task(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """The sessions of a task's role bear the task's id."""
    for arn in event.texts("response.tasks.*.taskArn") or event.either("task"):
        yield Given(Host(arn.rpartition("/")[2]))


def automation(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """An automation's sessions are named after its execution."""
    for run in event.either("automationExecutionId"):
        for role_name in event.texts("request.parameters.automationAssumeRole.*") or event.texts(
            "request.parameters.AutomationAssumeRole.*"
        ):
            yield from sessions_of(account.role_arn(role_name), f"Automation-{run}")


def build(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """A build's sessions are named after the build: `AWSCodeBuild-<uuid>`."""
    for full in event.texts("response.build.id"):
        for role_name in event.either("serviceRole"):
            uuid = full.rpartition(":")[2]
            yield from sessions_of(account.role_arn(role_name), f"AWSCodeBuild-{uuid}")


def shared_name(service: str, events: str, session: str, *members: str) -> Rules:
    """Rules of a service whose sessions all have one name, whoever's job it is.

    `events` are names, separated by spaces; `members` may hold the role, by ARN or by name.
    """

    def rule(event: Event, by: Subject, account: Account) -> Iterator[Given]:
        for role_name in dict.fromkeys(text for member in members for text in event.either(member)):
            yield from sessions_of(account.role_arn(role_name), session, POSSIBLE)

    return {(service, event): (rule,) for event in events.split()}


# -- services that act in the caller's name --

ON_BEHALF = frozenset({"cloudformation", "servicecatalog", "elasticbeanstalk", "batch", "athena"})
"""Services whose forward access sessions may outlast the call (IAM user guide, "Forward access
sessions"). Their events name the caller, but often a key that the service made."""


def forwarded(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """What the service then does for the caller; a rule of every event."""
    own = event.arn in ("", by.value) or bool(event.invoked_by)
    if event.service in ON_BEHALF and not event.read_only and not own:
        yield Given(Forwarded(event.arn, event.source), until=event.time + FORWARDED_FOR)


def _function_name(arn: str) -> str:
    """`arn:…:function:name` or `arn:…:function:name:alias`."""
    parts = arn.split(":")
    return parts[6] if len(parts) > 6 else ""


def _every_text(value: object) -> list[str]:
    """Texts of a list, or of its wrapping: `{"items": […]}`, `{"item": "…"}`, or one text."""
    match value:
        case str():
            return [value]
        case list():
            return [text for each in value for text in _every_text(each)]
        case dict():
            return [text for each in value.values() for text in _every_text(each)]
    return []


RULES: Rules = {
    ("iam", "CreateUser"): (user,),
    ("iam", "CreateRole"): (role,),
    ("iam", "UpdateAssumeRolePolicy"): (trust,),
    ("iam", "CreateOpenIDConnectProvider"): (provider,),
    ("iam", "AddClientIDToOpenIDConnectProvider"): (provider,),
    ("iam", "UpdateOpenIDConnectProviderThumbprint"): (provider,),
    ("iam", "CreateSAMLProvider"): (provider,),
    ("iam", "UpdateSAMLProvider"): (provider,),
    ("rolesanywhere", "CreateTrustAnchor"): (provider,),
    ("rolesanywhere", "UpdateTrustAnchor"): (provider,),
    ("rolesanywhere", "EnableTrustAnchor"): (provider,),
    ("rolesanywhere", "CreateProfile"): (provider,),
    ("rolesanywhere", "UpdateProfile"): (provider,),
    ("ec2", "RunInstances"): (launched,),
    ("ec2", "CreateFleet"): (fleet,),
    ("ec2", "AssociateIamInstanceProfile"): (reached,),
    ("ec2", "ReplaceIamInstanceProfileAssociation"): (reached,),
    ("ec2", "ModifyInstanceAttribute"): (user_data,),
    ("ec2-instance-connect", "SendSSHPublicKey"): (reached,),
    ("ec2-instance-connect", "SendSerialConsoleSSHPublicKey"): (reached,),
    ("ssm", "SendCommand"): (reached,),
    ("ssm", "StartSession"): (reached,),
    ("ssm", "ResumeSession"): (reached,),
    ("ssm", "CreateAssociation"): (reached,),
    ("ssm", "StartAutomationExecution"): (automation,),
    ("lambda", "CreateFunction"): (function,),
    ("lambda", "UpdateFunctionCode"): (function,),
    ("lambda", "UpdateFunctionConfiguration"): (function,),
    ("ecs", "RunTask"): (task,),
    ("ecs", "StartTask"): (task,),
    ("ecs", "ExecuteCommand"): (task,),
    ("codebuild", "StartBuild"): (build,),
    **shared_name(
        "cloudformation", "CreateStack UpdateStack CreateChangeSet", "AWSCloudFormation", "roleARN"
    ),
    **shared_name(
        "glue",
        "CreateJob UpdateJob CreateDevEndpoint CreateSession",
        "GlueJobRunnerSession",
        "role",
        "roleArn",
    ),
    **shared_name(
        "sagemaker",
        "CreateNotebookInstance UpdateNotebookInstance CreateTrainingJob CreateProcessingJob "
        "CreateModel",
        "SageMaker",
        "roleArn",
        "executionRoleArn",
    ),
}
