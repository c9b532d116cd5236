"""The only importer of SQLModel and SQLAlchemy: tables, migrations, SQL."""
