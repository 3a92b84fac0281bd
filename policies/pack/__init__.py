"""The policy pack: the same rules as Checkov's, judged by Pulumi while it deploys."""
