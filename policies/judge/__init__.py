"""Judges policy documents by AWS's own reference of actions, resource types and condition keys."""
