"""Every operation of the contract, asked for by every role of every kind of party, at every relation."""

import datetime
import itertools
import re
from collections import Counter

from api import CONTRACT, PASSWORD, ROOT, Api
from daemon import SANITIZED
from run import row

from access_rows import house
from money_rows import GATEWAY

DOCUMENT = (ROOT / "docs/access.md").read_text()
ROLES = ("viewer", "operator", "finance", "admin")

# Who acts, and what lies where, seen from there: parties, and those of them that sell, to whom records belong.
ACTORS = {
    "provider": ("provider", {"self": "provider", "below": "nina", "none": "nobody"},
                 {"self": "provider", "below": "north", "none": "nobody"}),
    "reseller": ("north", {"self": "north", "below": "nina", "above": "provider", "elsewhere": "ed", "none": "nobody"},
                 {"self": "north", "below": "south", "above": "provider", "elsewhere": "east", "none": "nobody"}),
    "distributor": ("dist", {"self": "dist", "below": "dora", "tagged": "dave", "above": "provider",
                             "elsewhere": "ed", "none": "nobody"},
                    {"above": "provider", "elsewhere": "east", "none": "nobody"}),
    "partner": ("finder", {"self": "finder", "tagged": "fred", "above": "provider", "elsewhere": "sue",
                           "none": "nobody"},
                {"above": "provider", "elsewhere": "east", "none": "nobody"}),
    "customer": ("nina", {"self": "nina", "below": "nina-desk", "above": "north", "elsewhere": "ed", "none": "nobody"},
                 {"above": "north", "elsewhere": "east", "none": "nobody"}),
}
# What no answer to somebody of this kind may name.
HIDDEN = {
    "provider": set(),
    "reseller": {"east", "ed", "dist", "dora", "finder", "seeker", "fred", "sue", "dave"},
    "distributor": {"east", "ed", "north", "south", "nina", "sam", "finder", "seeker", "fred", "sue"},
    "partner": {"east", "ed", "north", "south", "nina", "sam", "dist", "dora", "seeker", "sue", "dave"},
    "customer": {"east", "ed", "south", "sam", "dist", "dora", "finder", "seeker", "fred", "sue", "dave"},
}


def roles_of_document():
    """The table of docs/access.md: {role: permissions}."""
    permissions = {role: set() for role in ROLES}
    for line in DOCUMENT.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 6:
            for role, cell in zip(ROLES, cells[1:5]):
                if cell == "yes":
                    permissions[role].add(cells[0].strip("`"))
    assert len(permissions["admin"]) == 11, permissions
    return permissions


PERMISSIONS = roles_of_document()
KINDS = ["provider", "reseller", "distributor", "partner", "customer"]
FOR_OTHERS = {"changePassword": "people", "revokeToken": "people"}


def expected(operation, kind, role, relation):
    """401, 403, 404, or 200: it is let in. By docs/openapi.yaml and docs/access.md."""
    scope, permission = operation["x-scope"], operation["x-permission"]
    if scope in ("open", "self"):
        return 200
    kinds = operation.get("x-kinds", ["provider"] if scope == "root" else KINDS)
    permission = FOR_OTHERS.get(operation["operationId"], permission)
    may = kind in kinds and (permission == "none" or permission in PERMISSIONS[role])
    if scope in ("root", "list", "none"):
        return 200 if may else 403
    if scope == "body":
        if not may:
            return 403
        if relation in ("elsewhere", "none"):
            return 404
        if relation == "tagged":
            return 200 if kind == "distributor" and operation["operationId"] == "recordPaymentOf" else 403
        own = operation["operationId"] in ("createPerson", "createParty")
        return 200 if relation == "below" or (relation == "self" and own) else 403
    if operation["operationId"] == "putTariff" and relation == "none":
        return 200 if may else 403  # It would be made.
    if relation in ("elsewhere", "none"):
        return 404
    if operation["operationId"] == "getTransaction" and relation in ("above", "tagged"):
        return 404
    near = operation.get("x-relations", ["below"])
    if operation["operationId"] in ("getForm", "submitForm"):
        near = ["self", "below"]
    return 200 if may and relation in near else 403


class Records:
    """One of every kind for every party that can have it, made by those who may."""

    BOOKS = {"people": "person", "tokens": "token", "quick-forms": "form", "classes": "class",
             "transactions": "transaction", "payment-intents": "intent", "packages": "package",
             "subscriptions": "subscription", "plans": "plan", "numbers": "number", "account-drafts": "draft",
             "tariffs": "tariff"}
    OF_SELLERS = {"class", "package", "number", "draft", "tariff"}
    OF_CUSTOMERS = {"subscription", "plan"}

    def __init__(self, root):
        self.root = root
        self.number = itertools.count(1)
        self.admins = {"provider": root}
        self.made = {}
        self.failed = {}
        soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=30)
        self.soon = soon.strftime("%Y-%m-%dT%H:%M:%SZ")

    def admin(self, party):
        if party not in self.admins:
            self.admins[party] = self.root.person(f"boss-{party}", party, "admin")
        return self.admins[party]

    def of(self, book, party, fresh=False):
        """The id of one; a new one if `fresh`. None where there can be none."""
        if party == "nobody":
            return "4930999999" if book == "number" else "t-999999" if book == "transaction" else "nobody"
        customers = {"nina", "ed", "dora", "fred", "sue", "dave"}
        accounts = customers | {"north", "east", "dist"}
        possible = {"subscription": customers, "plan": customers, "transaction": accounts, "intent": accounts}
        if party not in possible.get(book, {party}) or (party == "nina-desk" and book in ("person", "token")):
            return None
        key = (book, party)
        if fresh or key not in self.made:
            self.made[key] = self.make(book, party)
        return self.made[key]

    def gone(self, book, party):
        self.made.pop((book, party), None)
        if book == "person":
            self.made.pop(("token", party), None)

    def make(self, book, party):
        n = next(self.number)
        root, name = self.root, f"{book}-{n}-{party}"
        if book == "person":
            root.post("/v1/people", {"login": name, "party": party, "role": "viewer", "password": PASSWORD}).expect(201)
            return name
        if book == "token":
            person = self.of("person", party)
            return root.post(f"/v1/people/{person}/tokens", {"name": "x", "expires": self.soon}).expect(201)["id"]
        if book == "form":  # Of the provider; a distributor may use those that name him.
            named = ["dist"] if party == "dist" else []
            return root.put(f"/v1/quick-forms/{name}", {"distributors": named, "fields": ["name"]}).expect(201)["id"]
        answer = {
            "class": lambda: self.admin(party).post("/v1/classes", {"id": name, "name": name}),
            "package": lambda: self.admin(party).post("/v1/packages", {
                "id": name, "name": name, "currency": "EUR", "price": "0.01", "period": "month"}),
            "tariff": lambda: root.put(f"/v1/tariffs/{name}", {"currency": "EUR", "owner": party}),
            "number": lambda: self.admin(party).post("/v1/numbers", {
                "numbers": [{"id": f"4930{n:06d}", "price": "0.01"}]}),
            "draft": lambda: self.admin(party).post("/v1/account-drafts", {}),
            "subscription": lambda: root.post(f"/v1/parties/{party}/subscriptions", {
                "package": self.make("package", {"nina": "north", "ed": "east"}.get(party, "provider"))}, key=True),
            "plan": lambda: root.post(f"/v1/parties/{party}/plans", {"name": name, "cost_per_user": "0.01"}, key=True),
            "transaction": lambda: root.post(f"/v1/parties/{party}/topups", {"amount": "1"}, key=True),
            "intent": lambda: root.post(f"/v1/parties/{party}/payment-intents", {"amount": "1"}, key=True),
        }[book]()
        if answer.status not in (200, 201):
            self.failed[book, party] = answer.text
            return None
        return {"number": lambda: f"4930{n:06d}", "transaction": lambda: answer["txn"],
                "tariff": lambda: name}.get(book, lambda: answer["id"])()


FAULTY = {"no_such_field": 1}
BODIES = {
    "changeParty": {"name": 5},  # Of the kind that everybody may change of his own party.
    "changePlan": {"users": "many"},
    "importParties": "no JSON",
    "putDeck": "no deck",
    "checkDeck": "no deck",
}
HEADERS = {"importParties": {"Content_Type": "application/x-ndjson"}, "putDeck": {"Content_Type": "text/csv"},
           "checkDeck": {"Content_Type": "text/csv"}, "closeParty": {"If_Match": '"another"'}}
BODY_PARTY = {"createPerson": "party", "createParty": "parent", "recordPaymentOf": "party"}
REFERENCES = [("transferMoney", "target"), ("recordPayment", "collected_by"), ("recordPaymentOf", "collected_by"),
              ("assignDistributor", "distributor"), ("assignNumber", "customer"), ("assignNumber", "line"),
              ("submitForm", "distributor")]
GONE = "nothing is served here"


def operations():
    for path, methods in CONTRACT.document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def cells(records, kind):
    """(method, path pattern, operation, relation, ids, body, makes): all that somebody of a kind can ask for."""
    own, parties, sellers = ACTORS[kind]
    for method, path, operation in operations():
        name, scope = operation["operationId"], operation["x-scope"]
        if name in ("logIn", "logOut"):
            continue  # They have rows of their own.
        body = BODIES.get(name, FAULTY) if method in ("POST", "PUT", "PATCH") else None
        if scope == "party":
            for relation, party in parties.items():
                yield method, path, operation, relation, party, body
        elif scope == "record":
            book = records.BOOKS[path.split("/")[2]]
            lie = sellers if book in records.OF_SELLERS else parties
            for relation, party in lie.items():
                if book == "form":
                    # Those that name him are his; others are there for nobody but the provider.
                    if relation not in ("self", "elsewhere", "none") or kind not in ("provider", "distributor"):
                        continue
                if name == "putTariff":
                    body = {"owner": own, **FAULTY}
                yield method, path, operation, relation, (book, party), body
        elif scope == "body":
            for relation, party in parties.items():
                field = BODY_PARTY.get(name)
                named = {field: party} if field else {"ids": [party]}
                yield method, path, operation, relation, None, {**named, **FAULTY}
        else:
            yield method, path, operation, None, None, body


@row("access_matrix", GATEWAY)
def matrix(daemon, api):
    """Role x kind of party x relation x operation: every cell answers as the documents say, what is elsewhere looks
    exactly like what does not exist, and nothing that is let in tells of anybody outside."""
    root = house(api)
    root.post("/v1/parties/north/topups", {"amount": "100"}, key=True).expect(201)
    for party in ("nina", "dora", "ed", "fred", "sue", "dave"):
        root.topup(party, "10")
    root.post("/v1/parties/dave/distributor", {"distributor": "dist"}, key=True).expect(201)
    records = Records(root)
    wrong, absent, tried = [], set(), Counter()
    roles = ("viewer", "admin") if SANITIZED else ROLES
    for kind in KINDS:
        own = ACTORS[kind][0]
        for role in roles:
            person = root.person(f"{kind}-{role}", own, role)
            hidden = {}
            for method, path, operation, relation, about, body in cells(records, kind):
                name = operation["operationId"]
                wanted = expected(operation, kind, role, relation)
                target = about
                if isinstance(about, tuple):
                    fresh = wanted == 200 and method == "DELETE"
                    target = records.of(*about, fresh=fresh)
                    if target is None:
                        continue
                ids = iter([target, records.of("package", "provider")])
                url = re.sub(r"\{[^}]+\}", lambda _: str(next(ids) or "any"), path)
                if name.endswith("Call") or name.endswith("ByGet") or name == "gatewayCallback":
                    url = re.sub(r"\{[^}]+\}", "any", path)
                answer = person.request(method, url, body, **HEADERS.get(name, {}))
                tried[wanted] += 1
                if isinstance(about, tuple) and method == "DELETE" and answer.status < 300:
                    records.gone(*about)
                status = answer.status
                text = answer.text
                if GONE in text or status == 405:
                    absent.add(name)
                    continue
                if wanted == 404 and kind == "provider":
                    right = status in (400, 404, 409, 412, 422)
                elif wanted == 200:
                    right = status not in (401, 403) and status < 500
                    # What it does not find is a thing it says more of than that there is nothing.
                    right = right and (status != 404 or "there is nothing of this name" not in text)
                else:
                    right = status == wanted
                if not right:
                    wrong.append(f"{kind}/{role} {name} {relation} {target}: {status}, expected {wanted}: {text[:160]}")
                if relation in ("elsewhere", "none") and status == 404:
                    told = re.sub(re.escape(str(target)), "", text)
                    if hidden.setdefault(name, told) != told and kind != "provider":
                        wrong.append(f"{kind}/{role} {name}: elsewhere is not told as none is: {told[:160]}")
                if wanted == 200 and status < 300:
                    leaks = {word for word in re.findall(r'[A-Za-z0-9_.:@+-]+', text)} & HIDDEN[kind]
                    if leaks and name != "contract":
                        wrong.append(f"{kind}/{role} {name} {relation}: tells of {sorted(leaks)}")
            if role != "admin":
                continue
            for name, field in REFERENCES:
                method, path, operation = next(one for one in operations() if one[2]["operationId"] == name)
                below = {"provider": "nina", "reseller": "nina", "distributor": "dora"}.get(kind)
                if kind not in operation["x-kinds"] or below is None or (kind, name) == ("reseller", "submitForm"):
                    continue
                for relation, party in ACTORS[kind][1].items():
                    first = records.of("number", own) if "number" in path else records.of("form", "dist") \
                        if "form" in path else below
                    if first is None:
                        continue
                    body = {field: party, **FAULTY, **({"party": below} if name == "recordPaymentOf" else {})}
                    answer = person.request(method, re.sub(r"\{[^}]+\}", first, path), body)
                    if GONE in answer.text:
                        continue
                    wanted = {"above": 403, "tagged": 403, "elsewhere": 404, "none": 404}.get(relation)
                    if kind == "provider":
                        wanted = None
                    if kind == "distributor" and field == "collected_by" and relation == "below":
                        wanted = 403
                    tried["reference"] += 1
                    if (wanted and answer.status != wanted) or (wanted is None and answer.status in (401, 403)):
                        wrong.append(f"{kind} {name}.{field} {relation}: {answer.status}, expected {wanted}: {answer.text[:160]}")
    # Of himself, without the permission for others.
    for kind, role in itertools.product(KINDS, roles):
        login = f"{kind}-{role}"
        person = Api(daemon, daemon_token(records, login))
        for method, path in (("GET", "/v1/people/{}"), ("GET", "/v1/people/{}/tokens")):
            if person.request(method, path.format(login)).status != 200:
                wrong.append(f"{login} {method} {path}")
        if person.patch(f"/v1/people/{login}", {"name": "Me"}).status != 200:
            wrong.append(f"{login} changes his name")
        if role != "admin" and person.patch(f"/v1/people/{login}", {"role": "admin"}).status != 403:
            wrong.append(f"{login} changes his role")
        if person.post(f"/v1/people/{login}/password", {}).status != 422:
            wrong.append(f"{login} changes his password")
    # Nobody without a token, and with one that is none.
    strangers = (Api(daemon), Api(daemon, "tg_" + "A" * 43))
    for method, path, operation in operations():
        for stranger in strangers:
            url = re.sub(r"\{[^}]+\}", "any", path)
            body = {} if method in ("POST", "PUT", "PATCH") else None
            answer = stranger.request(method, url, body)
            if operation["x-scope"] != "open":
                tried["stranger"] += 1
                if answer.status != 401:
                    wrong.append(f"stranger {operation['operationId']}: {answer.status}")
    print(f"{sum(tried.values())} cells: {dict(tried)}")
    print("\n".join(wrong[:60]))
    assert not wrong, f"{len(wrong)} cells are wrong"
    assert not records.failed, records.failed
    assert not absent, f"not served: {sorted(absent)}"


def daemon_token(records, login):
    """A token of somebody, made by the root admin."""
    return records.root.post(f"/v1/people/{login}/tokens", {"name": "x", "expires": records.soon}).expect(201)["token"]
