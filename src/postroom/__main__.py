"""`python -m postroom` is the command line."""

from postroom.cli.main import run

run()
