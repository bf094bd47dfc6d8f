"""Hooks into the toolkit. It swallows their errors, so what safety depends on is in the actions too."""
