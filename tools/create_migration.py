"""`python -m tools.create_migration "add refunds"`: drafts the migration from the database's tables to the code's."""

import sys

from alembic import command

from persistence.schema import configuration, wanted_revision
from tools.fresh_database import fresh_database


def main() -> int:
    if len(sys.argv) != 2 or not sys.argv[1]:
        sys.stderr.write('Say what it does: make migration NAME="add refunds"\n')
        return 1
    with fresh_database() as address:
        config = configuration(address)
        config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        number = int(wanted_revision()) + 1
        command.revision(config, message=sys.argv[1].capitalize(), autogenerate=True, rev_id=f"{number:04}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
