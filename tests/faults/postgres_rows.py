"""What a PostgreSQL that follows a journal must hold: row for row what the journal's folder and the daemon say."""

import csv
import io
import time

from wire import micros

LEVEL_SECONDS = 120

RECORD = ("record session line number caller service switch state flags authorized answered ended used cause start_tags "
          "tags rated_at start_at stop_at switch_user").split()
LEG = "record level party seller currency tariff version prefix destination price billed charged".split()
TIMES = ("authorized", "answered", "ended", "rated_at", "start_at", "stop_at")
MONEY = ("price", "charged")


def wait_until_level(daemon, postgres, seconds=LEVEL_SECONDS):
    """Until it has every event that is durable now; the seconds it took."""
    wanted = int(daemon.info("persistence")["journal_durable_event"])
    began = time.monotonic()
    while position(postgres) < wanted:
        assert time.monotonic() - began < seconds, \
            f"PostgreSQL has event {position(postgres)} of {wanted} after {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - began


def position(postgres):
    """The last event that it has; -1 where it has nothing, or not all of a refill."""
    there = postgres.psql("SELECT sequence FROM tollgate.position WHERE filling = 0", check=False)
    return int(there) if there and there.strip() else -1


def normal(name, text):
    """A field of either side in one form."""
    if not text:
        return ""
    if name in TIMES:  # PostgreSQL has microseconds and cuts off what is finer.
        whole, _, fraction = text.removesuffix("Z").partition(".")
        return f"{whole}.{(fraction + '000000')[:6]}"
    if name in MONEY:
        return text.rstrip("0").rstrip(".") if "." in text else text
    return text


def journal_rows(daemon):
    """(records, legs) by their keys, as `journal dump --records` has them; the last line of a record counts."""
    status, text = daemon.tool("journal", "dump", str(daemon.journal), "--records")
    assert status == 0, text
    said = {}  # By record: the lines of the last time it was said.
    last = None
    for line in csv.DictReader(io.StringIO(text)):
        record = line["record"].removeprefix("r-")
        if record != last or line["level"] in ("", "1"):
            said[record] = []
        said[record].append({**line, "record": record})
        last = record
    records, legs = {}, {}
    for record, lines in said.items():
        records[record] = tuple(normal(name, lines[0][name]) for name in RECORD)
        for line in lines:
            if line["level"]:
                legs[record, line["level"]] = tuple(normal(name, line[name]) for name in LEG)
    return records, legs


def postgres_rows(postgres):
    """The same, as the tables have them."""
    def column(name):
        return f"to_char({name}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US')" if name in TIMES else name
    records = postgres.rows(f"SELECT {', '.join(map(column, RECORD))} FROM tollgate.call_records")
    legs = postgres.rows(f"SELECT {', '.join(map(column, LEG))} FROM tollgate.call_legs")
    by_record = {row[0]: tuple(map(normal, RECORD, row)) for row in records}
    by_leg = {row[:2]: tuple(map(normal, LEG, row)) for row in legs}
    assert len(by_record) == len(records), "a record is there twice"
    assert len(by_leg) == len(legs), "a leg is there twice"
    return by_record, by_leg


def first_difference(left, right):
    for key in sorted(left.keys() | right.keys()):
        if left.get(key) != right.get(key):
            return f"{key}: journal {left.get(key)}, PostgreSQL {right.get(key)}"
    return "none"


def assert_same_calls(daemon, postgres):
    """Every record and every leg; how many records."""
    for what, journal, there in zip(("records", "legs"), journal_rows(daemon), postgres_rows(postgres)):
        assert journal == there, f"{what}: {len(journal)} and {len(there)}; {first_difference(journal, there)}"
    return len(postgres_rows(postgres)[0])


def assert_same_balances(daemon, postgres):
    """What every party with an account has, as BALANCE answers; how many parties."""
    there = postgres.rows("SELECT b.party, b.balance, b.held, b.available FROM tollgate.balances b"
                          " JOIN tollgate.parties p ON p.id = b.party WHERE p.kind NOT IN ('line', 'partner')"
                          " AND p.status <> 'closed'")
    for party, *amounts in there:
        assert daemon.account(party) == tuple(map(micros, amounts)), (party, daemon.account(party), amounts)
    return len(there)


def assert_same_sessions(daemon, postgres):
    """Which calls are open, and that they hold what is held; how many."""
    there = {row[0] for row in postgres.rows("SELECT id FROM tollgate.sessions")}
    cursor, open_now = "", set()
    while cursor is not None:
        page = daemon.http.get(f"/v1/sessions?limit=1000{'&cursor=' + cursor if cursor else ''}").json
        open_now |= {row["id"] for row in page["sessions"]}
        cursor = page["next"]
    assert there == open_now, (sorted(there - open_now)[:3], sorted(open_now - there)[:3])
    wrong = postgres.rows("""
        WITH holds AS (SELECT level->>'party' AS party, sum((level->>'held')::numeric) AS held
                       FROM tollgate.sessions, jsonb_array_elements(levels) level GROUP BY 1)
        SELECT b.party, b.held, h.held FROM tollgate.balances b LEFT JOIN holds h USING (party)
        WHERE b.held <> coalesce(h.held, 0)""")
    assert not wrong, wrong[:3]
    return len(there)


def assert_books_hold(postgres):
    """What the tables say of themselves: postings add up, and a balance is what was posted less what calls cost. For
    worlds of customers and margin resellers, whose money is all in the tables."""
    unbalanced = postgres.rows("SELECT transaction, currency FROM tollgate.postings GROUP BY 1, 2 HAVING sum(amount) <> 0")
    assert not unbalanced, unbalanced[:3]
    wrong = postgres.rows("""
        WITH moved AS (
            SELECT party, amount FROM tollgate.postings WHERE place = 'balance'
            UNION ALL SELECT party, -charged FROM tollgate.call_legs
            UNION ALL SELECT level->>'party', -(level->>'charged')::numeric
                      FROM tollgate.sessions, jsonb_array_elements(levels) level),
        sums AS (SELECT party, sum(amount) AS sum FROM moved GROUP BY 1)
        SELECT b.party, b.balance, s.sum FROM tollgate.balances b LEFT JOIN sums s USING (party)
        WHERE b.balance <> coalesce(s.sum, 0)""")
    assert not wrong, wrong[:3]


def assert_same(daemon, postgres):
    """All of it, once it is level and while nobody does anything. (records, sessions)."""
    wait_until_level(daemon, postgres)
    calls = assert_same_calls(daemon, postgres)
    assert assert_same_balances(daemon, postgres) > 0
    sessions = assert_same_sessions(daemon, postgres)
    assert_books_hold(postgres)
    return calls, sessions
