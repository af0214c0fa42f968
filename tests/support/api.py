"""Requests to /v1 of a running tollgated, each answer held against docs/openapi.yaml.

    api = Api(daemon)                      # this machine, as long as nobody is declared
    ann = api.person("ann", "acme", "admin")   # logged in
    ann.post("/v1/parties", {"kind": "customer", "parent": "acme"}).expect(201)
"""

import itertools
import re
from pathlib import Path
from urllib.parse import urlsplit

import jsonschema
import yaml

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"


class Contract:
    """docs/openapi.yaml: which operation a request is, and what it may answer."""

    def __init__(self):
        self.document = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
        self.operations = []
        for path, methods in self.document["paths"].items():
            # A session id or another text may hold anything but a slash.
            parts = re.split(r"\{[^}]+\}", path)
            pattern = re.compile("[^/]+".join(map(re.escape, parts)))
            for method, operation in methods.items():
                self.operations.append((method.upper(), path, pattern, operation))
        self.validators = {}

    def find(self, method, path):
        """The operation of a request; None where there is none. One without a wildcard goes first."""
        matches = [(template.count("{"), operation) for known, template, pattern, operation in self.operations
                   if known == method and pattern.fullmatch(path)]
        return min(matches, key=lambda match: match[0])[1] if matches else None

    def check(self, method, target, reply):
        """Raises where an answer is not what the contract promises."""
        operation = self.find(method, urlsplit(target).path)
        if operation is None:
            assert reply.status in (404, 405), f"{method} {target} is not in the contract: {reply}"
            return
        name = operation["operationId"]
        responses = operation["responses"]
        promised = responses.get(str(reply.status))
        if promised is None:
            assert reply.status >= 400, f"{name}: {reply.status} is not promised: {reply}"
            promised = self.document["components"]["responses"]["Problem"]
        content = promised.get("content")
        if content is None:
            assert not reply.text, f"{name}: no body is promised: {reply}"
            return
        kind = reply.headers["Content-Type"].split(";")[0]
        assert kind in content, f"{name}: {kind} is not promised: {reply}"
        if "json" in kind:
            errors = list(self.validator(name, kind, reply.status, content[kind]["schema"]).iter_errors(reply.json))
            assert not errors, f"{name}: {errors[0].message} at {list(errors[0].path)}: {reply}"

    def validator(self, *key_and_schema):
        *key, schema = key_and_schema
        key = tuple(key)
        if key not in self.validators:
            self.validators[key] = jsonschema.Draft202012Validator(
                {**schema, "components": self.document["components"]})
        return self.validators[key]


CONTRACT = Contract()
KEYS = itertools.count(1)


class Answer:
    """A reply that met the contract."""

    def __init__(self, what, reply):
        self.what, self.reply = what, reply
        self.status, self.headers = reply.status, reply.headers
        self.text = reply.text

    @property
    def json(self):
        return self.reply.json

    def __getitem__(self, name):
        return self.json[name]

    def expect(self, *statuses):
        """Itself, if it has one of these; else the test fails and says what was asked."""
        assert self.status in statuses, f"{self.what}: expected {statuses}: {self.reply}"
        return self

    def fields(self):
        """The fields that a 422 names."""
        return {error.get("field", error.get("column")) for error in self.expect(422).json.get("errors", [])}


class Api:
    """Somebody's requests, over a connection of his own."""

    def __init__(self, daemon, token=None):
        self.daemon, self.token = daemon, token
        self.http = daemon.connect_http()

    def request(self, method, path, body=None, key=None, **headers):
        """`key`: an Idempotency-Key; True for one that nobody has used. Header names have `_` for `-`."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if key is not None:
            headers["Idempotency-Key"] = f"key-{next(KEYS)}" if key is True else key
        reply = self.http.request(method, path, body, headers)
        CONTRACT.check(method, path, reply)
        return Answer(f"{method} {path} {body if body is not None else ''}", reply)

    def get(self, path, **headers):
        return self.request("GET", path, **headers)

    def post(self, path, body=None, key=None, **headers):
        return self.request("POST", path, {} if body is None else body, key, **headers)

    def put(self, path, body, **headers):
        return self.request("PUT", path, body, **headers)

    def patch(self, path, body, key=None, **headers):
        return self.request("PATCH", path, body, key, **headers)

    def delete(self, path, **headers):
        return self.request("DELETE", path, **headers)

    def party(self, party, parent, kind, **fields):
        """Makes a party; its id where it has one."""
        body = {"parent": parent, "kind": kind, **fields}
        if party is not None:
            body["id"] = party
        return self.post("/v1/parties", body).expect(201)["id"]

    def balance(self, party):
        return self.get(f"/v1/parties/{party}").expect(200)["balance"]

    def topup(self, party, amount):
        return self.post(f"/v1/parties/{party}/topups", {"amount": amount}, key=True).expect(201)

    def rows(self, path, name):
        """All rows of a list, page by page."""
        rows, cursor = [], None
        joint = "&" if "?" in path else "?"
        while True:
            page = self.get(path + (f"{joint}cursor={cursor}" if cursor else "")).expect(200)
            rows += page[name]
            cursor = page["next"]
            if cursor is None:
                return rows

    def person(self, login, party, role, password=PASSWORD, **fields):
        """Makes somebody and logs him in."""
        self.post("/v1/people", {"login": login, "party": party, "role": role, "password": password,
                                 **fields}).expect(201)
        return self.log_in(login, password)

    def log_in(self, login, password=PASSWORD):
        token = Api(self.daemon).post("/v1/login", {"login": login, "password": password}).expect(200)["token"]
        return Api(self.daemon, token)
