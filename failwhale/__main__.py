"""`python -m failwhale`: what the console spawns."""

from failwhale.cli import main

main()
