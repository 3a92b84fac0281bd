"""Moto as Pulumi's engine: the real program really creates what it declares, through boto3.

`engine` runs a program, `invokes` answers its questions, and one file per service creates its
resources; `table` says which function creates which type.
"""
