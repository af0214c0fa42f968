"""What a Redis that follows a journal must hold: field for field what the journal's folder and the daemon say."""

import csv
import io
import time

from wire import micros

LEVEL_SECONDS = 300
FIELDS = {"balance", "held", "available", "credit_limit", "currency", "status", "kind"}
AMOUNTS = ("balance", "held", "available", "credit_limit")
STREAM_MAX = 10_000  # As the daemon caps it by default.
CALL = ("record", "session", "line", "number", "service", "state", "used", "cause")


def pairs(flat):
    """{name: value} of a flat list of both."""
    return dict(zip(flat[::2], flat[1::2]))


def position(redis, prefix="tollgate"):
    """The last event that it has; -1 where it has nothing, or not all of a refill."""
    there = pairs(redis.call("HGETALL", f"{prefix}:position"))
    return int(there["sequence"]) if there.get("filling") == "0" else -1


def wait_until_level(daemon, redis, prefix="tollgate", seconds=LEVEL_SECONDS):
    wanted = int(daemon.info("persistence")["journal_durable_event"])
    began = time.monotonic()
    while position(redis, prefix) < wanted:
        assert time.monotonic() - began < seconds, \
            f"Redis has event {position(redis, prefix)} of {wanted} after {seconds} s"
        time.sleep(0.02)


def parties_of(daemon):
    """{id: the row of a hash}, as administration shows them."""
    rows, cursor = {}, ""
    while cursor is not None:
        page = daemon.http.get(f"/v1/parties?limit=1000{'&cursor=' + cursor if cursor else ''}").json
        for party in page["parties"]:
            row = {name: party.get(name) for name in FIELDS}
            rows[party["id"]] = {**row, **{name: micros(row[name] or "0") for name in AMOUNTS}}
        cursor = page["next"]
    return rows


def assert_same_parties(daemon, redis, prefix="tollgate"):
    """Every party and every field, and nobody else; how many."""
    expected = parties_of(daemon)
    start = f"{prefix}:party:"
    found = {}
    keys = redis.call("KEYS", f"{start}*")
    for key, row in zip(keys, map(pairs, redis.pipeline([("HGETALL", key) for key in keys]))):
        assert row.keys() == FIELDS, (key, row)
        found[key.removeprefix(start)] = {**row, **{name: micros(row[name]) for name in AMOUNTS}}
    assert found.keys() == expected.keys(), sorted(found.keys() ^ expected.keys())[:5]
    wrong = [(party, expected[party], found[party]) for party in sorted(found) if found[party] != expected[party]]
    assert not wrong, f"journal and Redis: {wrong[:3]}"
    return len(found)


def calls_told(daemon):
    """What the journal says of each call, in the order in which they ended. All that it says of one: a call that is
    settled anew before it was told is told as it stands then."""
    status, text = daemon.tool("journal", "dump", str(daemon.journal), "--records")
    assert status == 0, text
    told = {}
    for line in csv.DictReader(io.StringIO(text)):
        if line["level"] in ("", "1"):
            told.setdefault(line["record"], []).append({
                **{name: line[name] for name in CALL}, "at": line["ended"], "party": line["party"] or line["line"],
                **({"charged": line["charged"], "currency": line["currency"]} if line["level"] else {})})
    return list(told.values())


def thresholds_told(daemon):
    """Each that was crossed, in order."""
    crossings, after = [], "0.0.0"
    while (page := daemon.http.get(f"/v1/events?limit=1000&after={after}").json)["events"]:
        after = page["next"]
        for row in page["events"]:
            if row["kind"] == "threshold":
                threshold, _, balance, _ = row["text"].split()
                crossings.append([{"at": row["at"], "party": row["party"], "threshold": threshold.rstrip(":"),
                                   "balance": balance}])
    return crossings


def assert_is_end_of(what, found, expected, whole):
    """`found` are the last of `expected`, each one of what it may be; `whole`: all of them."""
    assert len(found) <= len(expected), f"{what}: {len(found)} are told, the journal has {len(expected)}"
    end = expected[len(expected) - len(found):]
    wrong = next((pair for pair in zip(end, found) if pair[1] not in pair[0]), None)
    assert not wrong, f"{what}: the journal says {wrong[0]}, the stream {wrong[1]}"
    assert not whole or len(found) == len(expected), f"{what}: {len(found)} of {len(expected)} are told"


def entries_of(redis, prefix="tollgate"):
    """The stream's, each a dictionary, the oldest first."""
    return [pairs(entry[1]) for entry in redis.call("XRANGE", f"{prefix}:events", "-", "+")]


def assert_same_stream(daemon, redis, prefix="tollgate", stream_max=STREAM_MAX):
    """Each entry is what the journal says, in its order, once; none is missing but the oldest, beyond the cap. For
    journals without a snapshot, so that a refill tells all. How many."""
    entries = entries_of(redis, prefix)
    ids = [tuple(map(int, entry.pop("id").split("-"))) for entry in entries]
    assert ids == sorted(set(ids)), "entries are out of order, or there twice"
    whole = len(entries) < stream_max
    kinds = {}
    for entry in entries:
        kinds.setdefault(entry.pop("event"), []).append(entry)
    assert_is_end_of("calls", kinds.pop("call_ended", []), calls_told(daemon), whole)
    assert_is_end_of("thresholds", kinds.pop("threshold_crossed", []), thresholds_told(daemon), whole)
    # What becomes of a status is told step by step, and ends where it stands.
    last = {}
    for entry in (entry for entry in entries if "before" in entry):
        party, before, after = entry["party"], entry["before"], entry["status"]
        assert last.get(party, before) == before, (party, last[party], before)
        last[party] = after
    statuses = {party: row["status"] for party, row in parties_of(daemon).items()}
    assert last == {party: statuses[party] for party in last}, (last, statuses)
    assert kinds.keys() <= {"party_suspended", "party_resumed", "party_closed"}, kinds.keys()
    return len(entries)


def assert_same(daemon, redis, prefix="tollgate", stream_max=STREAM_MAX):
    """All of it, once it is level and while nobody does anything. (parties, entries of the stream)."""
    wait_until_level(daemon, redis, prefix)
    return assert_same_parties(daemon, redis, prefix), assert_same_stream(daemon, redis, prefix, stream_max)
