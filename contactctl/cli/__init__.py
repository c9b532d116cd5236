"""Typer: argv -> operation -> output; one file per command group."""
