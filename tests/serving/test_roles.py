"""What readers' roles can and cannot do."""

from collections.abc import Callable

import psycopg
import pytest

from cx360 import postgres
from cx360.publish import publish
from tests.serving.conftest import CANARY, Bank, Rows

Ask = Callable[..., Rows]

READABLE = {
    "cx360_bi": {
        "profile.customer_profile",
        "cx.cx_metrics_daily",
        "ops.deliveries",
        "ops.gate_results",
        "ops.publications",
    },
    "cx360_ml": {
        "profile.customer_profile",
        "cx.cx_metrics_daily",
        "features.customer_features",
        "ops.publications",
    },
}
TABLES = READABLE["cx360_bi"] | READABLE["cx360_ml"] | {"pii.identifier_values"}


ATTEMPTS = [
    "select * from pii.identifier_values",
    "select query_to_xml('select * from pii.identifier_values', true, true, '')",
    "select table_to_xml('pii.identifier_values', true, true, '')",
    "copy pii.identifier_values to stdout",
    "create temp view peek as select * from pii.identifier_values; select * from peek",
    "do $$ begin perform * from pii.identifier_values; end $$",
    "create function pg_temp.peek() returns setof text language sql as"
    " 'select value from pii.identifier_values'; select pg_temp.peek()",
    "set role cx360",
    "set session authorization cx360",
    "select pg_read_file('postgresql.conf')",
    "copy (select 1) to program 'true'",
    "select lo_import('/etc/hostname')",
    "delete from profile.customer_profile",
    "create table profile.mine (i int)",
    "create table public.mine (i int)",
    "grant select on pii.identifier_values to public",
]


@pytest.fixture
def published(bank: Bank) -> Bank:
    """A bank with a canary in ``pii``, published."""
    bank.deliver(("phone", "k1:phone:1", CANARY))
    bank.build()
    publish(bank.settings, bank.run())
    return bank


@pytest.mark.parametrize("role", ["cx360_bi", "cx360_ml"])
def test_a_role_reads_what_it_should_and_no_more(published: Bank, ask: Ask, role: postgres.Role) -> None:
    """Table by table, also those created after the rights were given."""
    readable = set()
    for table in TABLES:
        try:
            ask(f"select * from {table} limit 1", role)
            readable.add(table)
        except psycopg.errors.InsufficientPrivilege:
            pass
    assert readable == READABLE[role]


@pytest.mark.parametrize("role", ["cx360_bi", "cx360_ml"])
def test_a_reader_gets_nothing_personal_and_changes_nothing(published: Bank, ask: Ask, role: postgres.Role) -> None:
    """Neither directly nor by way of functions, views, other roles or files."""
    for attempt in ATTEMPTS:
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue)):
            ask(attempt, role)


@pytest.mark.parametrize("role", ["cx360_bi", "cx360_ml"])
def test_statistics_show_no_personal_values(published: Bank, ask: Ask, role: postgres.Role) -> None:
    """The planner's samples of ``pii`` are there, and not for readers."""
    ask("analyze pii.identifier_values")
    sampled = "select count(*) from pg_stats where schemaname = 'pii'"
    assert ask(sampled)[0][0] > 0
    assert ask(sampled, role) == [(0,)]


def test_public_has_no_rights(published: Bank, ask: Ask) -> None:
    """Not on schemas, tables or functions to come: a new role can do nothing."""
    rights = ask(
        "select n.nspname from pg_namespace n, aclexplode(n.nspacl) a where a.grantee = 0"
        " and n.nspname in ('profile', 'cx', 'features', 'ops', 'pii', 'analyst')"
        " union all select c.relname from pg_class c, aclexplode(c.relacl) a where a.grantee = 0"
        " and c.relnamespace::regnamespace::text in ('profile', 'cx', 'features', 'ops', 'pii', 'analyst')"
    )
    assert rights == []
    ask("create function public.f() returns int language sql as 'select 1'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask("select public.f()", "cx360_bi")
