"""`python -m automation COMMAND STACK`."""

from automation.cli import main

main()
