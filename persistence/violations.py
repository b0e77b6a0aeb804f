"""Which rule of a table PostgreSQL has found broken."""

from sqlalchemy.exc import IntegrityError


def broken_constraint(violation: IntegrityError) -> str | None:
    """Its name. SQLAlchemy wraps the driver's error where it has sent the statement itself."""
    found: BaseException | None = violation.orig
    while found is not None:
        if name := getattr(found, "constraint_name", None):
            return str(name)
        found = found.__cause__
    return None
