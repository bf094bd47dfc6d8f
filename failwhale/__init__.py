"""The front door: command line, the list of programs, the drill."""
