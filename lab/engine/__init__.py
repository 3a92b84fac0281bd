"""Moto as Pulumi's engine: the real program really creates what it declares, through boto3.

`engine` runs a program and keeps its state; `provider` is what it asks, with one file per service
that says what each type's life is (`resource.Kind`), collected in `table`; `invokes` answers the
program's questions. `lab.plugin` serves the same provider to the Pulumi CLI.
"""
