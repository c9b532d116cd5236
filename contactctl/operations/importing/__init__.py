"""From a file's bytes to rows that the store can put in; no database in here."""
