"""Access: who may come in, and into whose room."""

from api import PASSWORD, Api
from run import row


def house(api):
    """provider ─┬─ north (margin reseller) ─┬─ south ── sam
                 │                           └─ nina
                 ├─ east ── ed
                 ├─ dist (distributor) ── dora
                 ├─ finder, seeker (partners: codes FIND, SEEK)
                 └─ fred (came with FIND), sue (with SEEK), dave (with none)
    """
    api.post("/v1/parties", {"id": "provider", "kind": "provider", "currency": "EUR"}).expect(201)
    api.party("north", "provider", "reseller", terms="margin")
    api.party("south", "north", "reseller", terms="margin")
    api.party("east", "provider", "reseller", terms="margin")
    api.party("dist", "provider", "distributor")
    api.party("finder", "provider", "partner")
    api.party("seeker", "provider", "partner")


@row("PB16")
def self_care(daemon, api):
    """Passwords are stored hashed, a login is unique, and a wrong password is throttled; preferences are kept."""
    house(api)
    root = api.person("root", "provider", "admin")
    # From now on nobody is served without a token, not even this machine.
    api.get("/v1/people").expect(401)
    created = root.post("/v1/people", {
        "login": "dora@dist.example", "party": "dist", "role": "admin", "password": "a long password",
        "time_zone": "America/New_York", "language": "en", "date_format": "%d.%m.%Y", "time_format": "%H:%M"})
    created.expect(201)
    assert "password" not in created.json, created.json
    for login in ("dora@dist.example", "root"):
        root.post("/v1/people", {"login": login, "party": "dist", "role": "viewer",
                                 "password": "another password"}).expect(409)
    dora = api.log_in("dora@dist.example", "a long password")
    me = dora.get("/v1/people/dora@dist.example").expect(200)
    assert (me["time_zone"], me["date_format"]) == ("America/New_York", "%d.%m.%Y"), me.json
    dora.patch("/v1/people/dora@dist.example", {"language": "de"}).expect(200)
    dora.patch("/v1/people/dora@dist.example", {"language": "no language"}).expect(422)

    # Five guesses are free, then each waits; the right password has to wait too, and others do not.
    stranger = Api(daemon)
    wrong = {"login": "dora@dist.example", "password": "not the password"}
    unknown = {"login": "nobody", "password": "not the password"}
    first = stranger.post("/v1/login", unknown).expect(401)
    answers = [stranger.post("/v1/login", wrong) for _ in range(6)]
    assert [answer.status for answer in answers] == [401] * 5 + [429], answers
    assert answers[0].json["detail"] == first.json["detail"]  # No word of whether there is such a login.
    assert int(answers[5].headers["Retry-After"]) >= 1
    stranger.post("/v1/login", {**wrong, "password": "a long password"}).expect(429)
    api.log_in("root")

    # Nowhere on the disk is a password or a token, but a hash is.
    journal = b"".join(file.read_bytes() for folder in [daemon.settings[0].split("=")[1]]
                       for file in __import__("pathlib").Path(folder).rglob("*") if file.is_file())
    assert b"$argon2id$" in journal
    for secret in (b"a long password", PASSWORD.encode(), dora.token.encode(), b"not the password"):
        assert secret not in journal, secret
