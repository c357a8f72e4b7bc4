"""Who may do what with the table of a view: kept when a rebuild puts another in its place."""

from typing import Final

from sqlalchemy import Connection, text

from adapters.store.dialects import is_postgresql

_TABLE: Final = """SELECT 'ALTER TABLE ' || quote_ident(:new) || ' OWNER TO ' || owner.rolname
FROM pg_class c JOIN pg_roles owner ON owner.oid = c.relowner
WHERE c.oid = CAST(:live AS regclass) AND owner.rolname <> current_user"""
_RIGHTS: Final = """SELECT format('GRANT %s %s ON %I TO %s%s', held.privilege_type,
    CASE WHEN held.attname IS NULL THEN '' ELSE '(' || quote_ident(held.attname) || ')' END, :new,
    CASE held.grantee WHEN 0 THEN 'PUBLIC' ELSE held.grantee::regrole::text END,
    CASE WHEN held.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM (
    SELECT NULL AS attname, a.* FROM pg_class c, aclexplode(c.relacl) a
    WHERE c.oid = CAST(:live AS regclass) AND a.grantee <> c.relowner
    UNION ALL
    SELECT t.attname, a.* FROM pg_attribute t, aclexplode(t.attacl) a
    WHERE t.attrelid = CAST(:live AS regclass)
) held"""


def keep_grants(connection: Connection, live: str, new: str) -> None:
    """Give a table the owner and the rights of the one that it is about to replace."""
    if not is_postgresql(connection):
        return  # A file knows no roles.
    about = {"live": live, "new": new}
    # The rights first: after the last statement the table may belong to somebody else.
    for question in (_RIGHTS, _TABLE):
        for statement in connection.scalars(text(question), about).all():
            connection.execute(text(statement))
