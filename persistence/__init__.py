"""PostgreSQL: tables, repositories and the unit of work. The only importer of SQLAlchemy and SQLModel."""
