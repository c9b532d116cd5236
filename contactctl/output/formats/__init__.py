"""One module per output format, each with `write(presentation, console, command)`."""
