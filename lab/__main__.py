"""`python -m lab`: the same as `cordon lab`."""

from lab.command import app

app(prog_name="python -m lab")
