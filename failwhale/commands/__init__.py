"""The commands: all Typer and all printing live here."""
