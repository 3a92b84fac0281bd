"""The playbooks, one a file, by the name of their command: see `responders.playbook`."""
