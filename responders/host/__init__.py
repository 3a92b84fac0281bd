"""What is asked of a running host: through Systems Manager, and its interfaces."""
