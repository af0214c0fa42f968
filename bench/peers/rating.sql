-- What a careful operator builds on PostgreSQL: AUTHORIZE and STOP as two functions, the way billing systems ask SQL for
-- every call. Amounts are nano-units. The tables are filled by side_by_side.py.

CREATE TABLE deck_row (
    deck    smallint,
    prefix  text,
    rate    bigint NOT NULL,
    setup   bigint NOT NULL,
    first   integer NOT NULL,
    step    integer NOT NULL,
    PRIMARY KEY (deck, prefix)
);
-- With room in each page, so that no index moves when a sum does.
CREATE TABLE party (
    id       integer PRIMARY KEY,
    parent   integer,
    deck     smallint NOT NULL,
    balance  bigint NOT NULL,
    held     bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
CREATE TABLE call_level (
    call    bigint,
    level   smallint,
    party   integer NOT NULL,
    rate    bigint NOT NULL,
    setup   bigint NOT NULL,
    first   integer NOT NULL,
    step    integer NOT NULL,
    held    bigint NOT NULL,
    PRIMARY KEY (call, level)
) WITH (fillfactor = 70);
CREATE TABLE call_record (
    call      bigint PRIMARY KEY,
    ended     timestamptz NOT NULL DEFAULT now(),
    seconds   integer NOT NULL,
    customer  integer NOT NULL,
    charged   bigint NOT NULL
);
CREATE TABLE dialled (id integer PRIMARY KEY, number text NOT NULL);
CREATE SEQUENCE call_number CACHE 100;

CREATE FUNCTION cost(seconds bigint, rate bigint, setup bigint, first integer, step integer) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN seconds <= 0 THEN 0
                WHEN seconds <= first THEN setup + rate * first
                ELSE setup + rate * (first + (seconds - first + step - 1) / step * step) END
$$;

-- Seconds granted, and the call they are granted for; 0 where somebody cannot pay or has no row for the number.
CREATE FUNCTION authorize(line integer, number text, want integer, OUT opened bigint, OUT granted bigint)
LANGUAGE plpgsql AS $$
DECLARE
    payer party;
    found_row deck_row;
    levels deck_row[];
    payers integer[];
    next_payer integer := line;
    affordable bigint;
BEGIN
    granted := want;
    WHILE next_payer IS NOT NULL LOOP
        SELECT * INTO payer FROM party WHERE id = next_payer FOR UPDATE;
        SELECT * INTO found_row FROM deck_row
            WHERE deck = payer.deck AND prefix = ANY (ARRAY[left(number, 9), left(number, 8), left(number, 7),
                left(number, 6), left(number, 5), left(number, 4), left(number, 3), left(number, 2), left(number, 1)])
            ORDER BY length(prefix) DESC LIMIT 1;
        IF NOT FOUND THEN granted := 0; RETURN; END IF;
        affordable := (payer.balance - payer.held - found_row.setup) / found_row.rate;
        IF affordable < found_row.first THEN granted := 0; RETURN; END IF;
        granted := least(granted, found_row.first + (affordable - found_row.first) / found_row.step * found_row.step);
        levels := levels || found_row;
        payers := payers || next_payer;
        next_payer := payer.parent;
    END LOOP;
    opened := nextval('call_number');
    FOR i IN 1 .. array_length(payers, 1) LOOP
        affordable := cost(granted, levels[i].rate, levels[i].setup, levels[i].first, levels[i].step);
        UPDATE party SET held = held + affordable WHERE id = payers[i];
        INSERT INTO call_level VALUES (opened, i, payers[i], levels[i].rate, levels[i].setup, levels[i].first,
                                       levels[i].step, affordable);
    END LOOP;
END $$;

-- What the customer was charged; NULL where there is no such call.
CREATE FUNCTION stop(ended_call bigint, used integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    one call_level;
    due bigint;
    customers_due bigint;
    payer integer;
BEGIN
    FOR one IN SELECT * FROM call_level WHERE call = ended_call ORDER BY level LOOP
        due := cost(used, one.rate, one.setup, one.first, one.step);
        UPDATE party SET held = held - one.held, balance = balance - due WHERE id = one.party;
        IF one.level = 1 THEN customers_due := due; payer := one.party; END IF;
    END LOOP;
    IF payer IS NULL THEN RETURN NULL; END IF;
    DELETE FROM call_level WHERE call = ended_call;
    INSERT INTO call_record (call, seconds, customer, charged) VALUES (ended_call, used, payer, customers_due);
    RETURN customers_due;
END $$;
