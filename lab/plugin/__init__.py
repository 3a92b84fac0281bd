"""The lab's stand-in for the AWS plugin of Pulumi: `pulumi-resource-aws`, for the lab alone.

Whoever has the `pulumi` CLI runs the real `preview`, `up`, `refresh` and `destroy` against
`cordon lab serve`, with neither the real plugin nor an account.
"""
