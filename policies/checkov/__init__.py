"""Cordon's own policies, one a file, for Checkov and for the policy pack. See `policies/rules.py`.

Checkov loads nothing from a folder without this file.
"""
