"""How long a command waits for another process unless it is told, in seconds."""

FOR_CHANGES_S = 30.0  # of contacts
FOR_INGEST_S = 300.0  # which may be reading a mailbox or large files
FOR_ONE_CONTACT_S = 10.0  # to be added, while an import creates contacts
