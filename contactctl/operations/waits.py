"""How long a command waits unless it is told, in seconds."""

from contactctl.store.waits import FOR_ANSWERS_S, FOR_LOCKS_S

FOR_CHANGES_S = FOR_LOCKS_S  # of contacts, by another process
FOR_INGEST_S = 300.0  # which may be reading a mailbox or large files
FOR_ANSWER_S = FOR_ANSWERS_S  # of the database, to one statement
