"""Incidents played against the lab's account by real calls, with what they planted as data."""
