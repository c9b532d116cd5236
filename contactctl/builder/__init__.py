"""The builder, a Textual application: edit criteria, see what they select, confirm."""
