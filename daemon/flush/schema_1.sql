-- The first version of what tollgate keeps in PostgreSQL. docs/schema.md is the manual.
--
-- A version is never changed once it has been released: the next one gets a file of its own. All of a file is one
-- transaction.

CREATE TABLE tollgate.schema_version (
    version     integer PRIMARY KEY,
    applied_at  timestamptz NOT NULL DEFAULT now()
);

-- Up to which event of which journal all other tables say what it says.
CREATE TABLE tollgate.position (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    instance    text NOT NULL,
    epoch       bigint NOT NULL,
    sequence    bigint NOT NULL,
    filling     bigint NOT NULL,
    written_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- ---- Who pays, and how ----

CREATE TABLE tollgate.parties (
    id             text PRIMARY KEY,
    number         bigint NOT NULL UNIQUE,
    parent         text,
    kind           text NOT NULL,
    terms          text NOT NULL,
    billing        text NOT NULL,
    status         text NOT NULL,
    currency       text NOT NULL,
    time_zone      text NOT NULL,
    credit_limit   numeric(20, 6) NOT NULL,
    min_available  numeric(20, 6) NOT NULL,
    tariffs        jsonb NOT NULL,
    max_calls      bigint,
    dial_plan      text
);
CREATE INDEX parties_parent ON tollgate.parties (parent);

-- Apart from parties, because it changes with every call: with room in each page, so that no index moves, and cleaned
-- before it has doubled.
CREATE TABLE tollgate.balances (
    party      text PRIMARY KEY,
    currency   text NOT NULL,
    balance    numeric(20, 6) NOT NULL,
    held       numeric(20, 6) NOT NULL,
    available  numeric(20, 6) NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);

CREATE TABLE tollgate.tariffs (
    id        text PRIMARY KEY,
    currency  text NOT NULL,
    owner     text,
    version   bigint NOT NULL
);

CREATE TABLE tollgate.deck_versions (
    tariff     text NOT NULL,
    version    bigint NOT NULL,
    change     text NOT NULL,
    made_by    text NOT NULL,
    made_at    timestamptz NOT NULL,
    currency   text NOT NULL,
    decimals   smallint NOT NULL,
    rounding   text NOT NULL,
    anchor     text NOT NULL,
    markup     numeric NOT NULL,
    time_zone  text NOT NULL,
    owner      text,
    rows       bigint,
    file       text,
    PRIMARY KEY (tariff, version)
);

-- ---- Money outside calls ----

CREATE TABLE tollgate.transactions (
    number            bigint PRIMARY KEY,
    sequence          bigint NOT NULL,
    at                timestamptz NOT NULL,
    kind              text NOT NULL,
    scope             text NOT NULL,
    request           text NOT NULL,
    actor             text NOT NULL,
    subject           text NOT NULL,
    memo              text NOT NULL,
    balance           numeric(20, 6) NOT NULL,
    available         numeric(20, 6) NOT NULL,
    refunded_record   bigint,
    refunded_request  text
);
CREATE INDEX transactions_at ON tollgate.transactions (at);

CREATE TABLE tollgate.postings (
    transaction    bigint NOT NULL,
    position       smallint NOT NULL,
    at             timestamptz NOT NULL,
    party          text NOT NULL,
    place          text NOT NULL,
    currency       text NOT NULL,
    amount         numeric(20, 6) NOT NULL,
    balance_after  numeric(20, 6),
    PRIMARY KEY (transaction, position)
);
CREATE INDEX postings_party_at ON tollgate.postings (party, at);

-- ---- Calls ----

CREATE TABLE tollgate.sessions (
    switch_user  text NOT NULL,
    id           text NOT NULL,
    line         text NOT NULL,
    number       text NOT NULL,
    caller       text NOT NULL,
    service      text NOT NULL,
    switch       text NOT NULL,
    answered     boolean NOT NULL,
    emergency    boolean NOT NULL,
    authorized   timestamptz NOT NULL,
    answered_at  timestamptz,
    expires      timestamptz NOT NULL,
    rated_at     timestamptz NOT NULL,
    granted      bigint NOT NULL,
    used         bigint NOT NULL,
    levels       jsonb NOT NULL,
    PRIMARY KEY (id, switch_user)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);

-- One partition a month of `ended`. There is no default one: attaching the next month to a table with one has to
-- look through it under a lock that shuts everybody out.
CREATE TABLE tollgate.call_records (
    record      bigint NOT NULL,
    sequence    bigint NOT NULL,
    session     text NOT NULL,
    switch_user text NOT NULL,
    line        text NOT NULL,
    number      text NOT NULL,
    caller      text NOT NULL,
    service     text NOT NULL,
    switch      text NOT NULL,
    state       text NOT NULL,
    flags       text NOT NULL,
    authorized  timestamptz,
    answered    timestamptz,
    ended       timestamptz NOT NULL,
    used        bigint NOT NULL,
    cause       text NOT NULL,
    start_tags  text NOT NULL,
    tags        text NOT NULL,
    rated_at    timestamptz NOT NULL,
    start_at    timestamptz,
    stop_at     timestamptz,
    customer    text,
    currency    text,
    charged     numeric(20, 6),
    PRIMARY KEY (record, ended)
) PARTITION BY RANGE (ended);
CREATE INDEX call_records_customer_ended ON tollgate.call_records (customer, ended);

CREATE TABLE tollgate.call_legs (
    record       bigint NOT NULL,
    level        smallint NOT NULL,
    ended        timestamptz NOT NULL,
    party        text NOT NULL,
    seller       text NOT NULL,
    currency     text NOT NULL,
    tariff       text,
    version      bigint,
    prefix       text,
    destination  text,
    price        numeric,
    billed       bigint,
    charged      numeric(20, 6) NOT NULL,
    PRIMARY KEY (record, level, ended)
) PARTITION BY RANGE (ended);
CREATE INDEX call_legs_party_ended ON tollgate.call_legs (party, ended);

-- ---- What happened ----

CREATE TABLE tollgate.threshold_events (
    number     bigint PRIMARY KEY,
    sequence   bigint NOT NULL,
    at         timestamptz NOT NULL,
    party      text NOT NULL,
    threshold  text NOT NULL,
    balance    numeric(20, 6) NOT NULL
);

CREATE TABLE tollgate.party_statuses (
    sequence  bigint NOT NULL,
    party     text NOT NULL,
    at        timestamptz NOT NULL,
    before    text NOT NULL,
    after     text NOT NULL,
    PRIMARY KEY (sequence, party)
);

CREATE TABLE tollgate.audit (
    number     bigint PRIMARY KEY,
    sequence   bigint NOT NULL,
    at         timestamptz NOT NULL,
    actor      text NOT NULL,
    operation  text NOT NULL,
    party      text,
    target     text NOT NULL,
    before     text NOT NULL,
    after      text NOT NULL
);
CREATE INDEX audit_at ON tollgate.audit (at);

-- ---- The journal itself, for `tollgated restore` ----

CREATE TABLE tollgate.journal_snapshots (
    sequence  bigint NOT NULL,
    chunk     integer NOT NULL,
    bytes     bytea NOT NULL,
    PRIMARY KEY (sequence, chunk)
);
CREATE TABLE tollgate.journal_events (
    first  bigint PRIMARY KEY,
    last   bigint NOT NULL,
    bytes  bytea NOT NULL
);
CREATE TABLE tollgate.journal_files (
    name   text NOT NULL,
    chunk  integer NOT NULL,
    bytes  bytea NOT NULL,
    PRIMARY KEY (name, chunk)
);
