"""From a Pulumi program to a Terraform plan, so that Checkov can judge it."""
