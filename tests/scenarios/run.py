#!/usr/bin/env python3
"""Plays stories: commands and the answers they must get, against a tollgated of their own.

usage: run.py [-v] FILE.scn…     exit 0 as told, 1 not; the daemon is the environment's TOLLGATED

A story is a text of lines. A line that begins with blanks goes on with the one before it. At the end of every
story the books of every currency must add up to zero.

  # text                     a comment
  --set KEY=VALUE            a setting of the daemon, above everything else
  include FILE               the lines of another file
  ! METHOD PATH [BODY]       an HTTP request that must succeed; `! 409 POST …` must get that status. Lines that
  | TEXT                     begin with `|` are its body: CSV for a deck, a JSON object a line for an import
  ! KEY=id METHOD PATH …     the same with that Idempotency-Key
  <! NAME=VALUE …            of its JSON: these fields; `events.0.party` is one in a list or an object
  > WORD WORD …              a command; one of the next four, or several, must say what its answer is
  < WORD WORD …              its whole answer, nested arrays laid flat
  <~ CODE FIGURE NAME=VALUE  of its answer: code, figure and these pairs. NAME.2 is the second pair of that name
  <= WORD …                  one row of a nested answer, and all of them stand here, in any order
  <- TEXT                    its answer is a RESP error that begins so
  >> WORD …                  a command that is repeated with CURSOR until the last page; all rows are taken
                             together, and no page may be longer than its COUNT
  as NAME                    from here on by another connection; the first one is `main`
  sleep 1.2s                 lets time pass
  settled                    no call is open and nobody holds anything

In an answer `*` is any value, `3..5` a number in that range, and `{name}` remembers a value where it stands first
and must be the same wherever it stands again; in a command it is the value remembered. Words are apart by
blanks; in double quotes \\" \\\\ \\n \\r \\t \\0 \\xHH are bytes, and "" is the empty word.
"""

import json
import os
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import Daemon  # noqa: E402
from wire import HttpClient, encode  # noqa: E402

SKIPPED = 77
ESCAPES = {"n": b"\n", "r": b"\r", "t": b"\t", "0": b"\0"}
NAME = re.compile(rb"\{[a-z]\w*\}")
RANGE = re.compile(rb"(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)")
PAGES_MAX = 1000


class Fault(Exception):
    """The story cannot be read, or the daemon tells another one."""


class Line:
    def __init__(self, file, number, text):
        self.place, self.text = f"{file.name}:{number}", text

    def fault(self, what):
        return Fault(f"{self.place}: {what}\n    {self.text}")


def lines_of(path):
    """All lines but comments and empty ones, continued ones joined."""
    lines = []
    for number, text in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if text[:1] in (" ", "\t") and text.strip() and lines:
            lines[-1].text += " " + text.strip()
        elif text.startswith("include "):
            lines += lines_of(path.parent / text.split()[1])
        elif text.strip() and not text.startswith("#"):
            lines.append(Line(path, number, text.rstrip()))
    return lines


def words_of(line):
    """The words behind the mark, as bytes; and for each whether it stood in quotes, which makes it literal."""
    text = line.text.split(None, 1)[1] if len(line.text.split(None, 1)) > 1 else ""
    words, literal = [], []
    at = 0
    while at < len(text):
        if text[at] in " \t":
            at += 1
            continue
        word, quoted = b"", False
        while at < len(text) and text[at] not in " \t":
            if text[at] != '"':
                word += text[at].encode()
                at += 1
                continue
            quoted = True
            at += 1
            while at < len(text) and text[at] != '"':
                if text[at] != "\\":
                    word += text[at].encode()
                elif text[at + 1] == "x":
                    word += bytes([int(text[at + 2:at + 4], 16)])
                    at += 3
                else:
                    word += ESCAPES.get(text[at + 1], text[at + 1].encode())
                    at += 1
                at += 1
            if at == len(text):
                raise line.fault("a quote is not closed")
            at += 1
        words.append(word)
        literal.append(quoted)
    return words, literal


class Connection:
    """RESP of which every byte is kept: answers are bytes, lists, or an Error."""

    class Error(bytes):
        pass

    def __init__(self, client):
        self.client = client

    def call(self, words):
        self.client.socket.sendall(encode(words))
        return self.read()

    def read(self):
        line = self.client.input.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the daemon closed the connection")
        kind, text = line[:1], line[1:-2]
        if kind == b"$":
            return None if text == b"-1" else self.client.input.read(int(text) + 2)[:-2]
        if kind == b"*":
            return [self.read() for _ in range(int(text))]
        return self.Error(text) if kind == b"-" else text


def flat(answer):
    if not isinstance(answer, list):
        return [answer]
    return [word for element in answer for word in flat(element)]


def shown(answer):
    if isinstance(answer, Connection.Error):
        return f"the error {answer.decode(errors='backslashreplace')}"
    if not isinstance(answer, list):
        return repr(answer)
    return " ".join(json.dumps(word.decode(errors="backslashreplace")) if not word or b" " in word
                    else word.decode(errors="backslashreplace") for word in flat(answer))


class Story:
    def __init__(self, path, verbose):
        self.path, self.verbose = path, verbose
        lines = lines_of(path)
        self.settings = [line.text.split()[1] for line in lines if line.text.startswith("--set ")]
        self.lines = [line for line in lines if not line.text.startswith("--set ")]
        self.names = {}
        self.faults = []

    def play(self):
        with Daemon(*self.settings) as self.daemon:
            self.http = HttpClient(self.daemon.http_port)
            self.connections = {"main": Connection(self.daemon.connect())}
            self.connection = self.connections["main"]
            self.answer, self.command, self.checked = None, None, True
            self.pending = []  # Rows expected of the answer at hand.
            try:
                at = 0
                while at < len(self.lines):
                    line = self.lines[at]
                    at += 1
                    body = []
                    while at < len(self.lines) and self.lines[at].text.startswith("|"):
                        body.append(self.lines[at].text[1:].strip())
                        at += 1
                    self.play_line(line, body)
                self.end_of_rows()
                self.end_of_answer()
                self.check_books()
            finally:
                self.http.close()
        return self.faults

    def play_line(self, line, body):
        mark = line.text.split()[0]
        if mark != "<=":
            self.end_of_rows()
        if not mark.startswith("<"):
            self.end_of_answer()
        if body and mark != "!":
            raise line.fault("only an HTTP request has a body")
        if mark == "!":
            self.request(line, body)
        elif mark in (">", ">>"):
            self.command = line
            words = [self.replaced(word) for word in words_of(line)[0]]
            self.answer = self.connection.call(words) if mark == ">" else self.all_pages(line, words)
            self.checked = False
            if self.verbose:
                print(f"{line.place}: {line.text}\n    {shown(self.answer)}", flush=True)
        elif mark in ("<", "<~", "<-", "<="):
            self.check(mark, line)
        elif mark == "<!":
            self.check_reply(line)
        elif mark == "as":
            name = line.text.split()[1]
            if name not in self.connections:
                self.connections[name] = Connection(self.daemon.connect())
            self.connection = self.connections[name]
        elif mark == "sleep":
            time.sleep(float(line.text.split()[1].removesuffix("s")))
        elif mark == "settled":
            self.check_settled(line)
        else:
            raise line.fault("no such line")

    # ---- HTTP ----

    def request(self, line, body):
        words = self.replaced(line.text.split(None, 1)[1].encode()).decode()
        status = None
        if words[:3].isdigit():
            status, words = int(words[:3]), words[4:]
        headers, data = {}, None
        if words.startswith("KEY="):
            key, words = words.split(None, 1)
            headers["Idempotency-Key"] = key.removeprefix("KEY=")
        method, path, *inline = words.split(None, 2)
        if body:
            headers["Content-Type"] = "text/csv" if path.endswith("/deck") else "application/x-ndjson"
            data = "\n".join(body) + "\n"
        elif inline:
            headers["Content-Type"] = "application/json"
            data = inline[0]
        self.reply = reply = self.http.request(method, path, data, headers)
        if not (reply.status == status if status else 200 <= reply.status < 300):
            raise line.fault(f"expected {status or 'success'}, got {reply}")

    def check_reply(self, line):
        words, _ = words_of(line)
        for word in words:
            name, _, expected = word.decode().partition("=")
            value = self.reply.json
            try:
                for part in name.split("."):
                    value = value[int(part) if isinstance(value, list) else part]
            except (KeyError, IndexError, TypeError):
                value = "nothing"
            text = value if isinstance(value, str) else json.dumps(value)
            if not self.matches(expected.encode(), text.encode()):
                raise line.fault(f"{name} is {text}: {self.reply}")

    # ---- Answers ----

    def replaced(self, word):
        def value(found):
            name = found[0][1:-1]
            if name not in self.names:
                raise self.command.fault(f"nothing is remembered as {name.decode()}")
            return self.names[name]
        return NAME.sub(value, word)

    def matches(self, expected, value, literal=False):
        if literal:
            return expected == value
        if expected == b"*":
            return value is not None
        if NAME.fullmatch(expected):
            return self.names.setdefault(expected[1:-1], value) == value
        if bounds := RANGE.fullmatch(expected):
            try:
                return float(bounds[1]) <= float(value) <= float(bounds[2])
            except (TypeError, ValueError):
                return False
        return expected == value

    def differs(self, line, what):
        """Told once a line; the story goes on, so that one run shows all that is wrong."""
        self.faults.append(f"{line.place}: {what}\n    {self.command.text}\n    expected  {line.text}\n"
                           f"    got       {shown(self.answer)}")

    def check(self, mark, line):
        if self.command is None:
            raise line.fault("no command stands before it")
        self.checked = True
        expected, literal = words_of(line)
        if mark == "<=":
            self.pending.append((line, expected, literal))
            return
        if mark == "<-":
            begin = line.text.split(None, 1)[1].encode()
            if not isinstance(self.answer, Connection.Error) or not self.answer.startswith(begin):
                self.differs(line, "expected an error")
            return
        if isinstance(self.answer, Connection.Error):
            self.differs(line, "an error")
            return
        got = flat(self.answer)
        if mark == "<":
            if len(got) != len(expected):
                self.differs(line, f"expected {len(expected)} words, got {len(got)}")
            elif wrong := [str(i) for i, word in enumerate(expected)
                           if not self.matches(word, got[i], literal[i])]:
                self.differs(line, f"other words at {', '.join(wrong)}")
            return
        for i, word in enumerate(expected[:2]):
            if i >= len(got) or not self.matches(word, got[i], literal[i]):
                self.differs(line, ("another code", "another figure")[i])
                return
        wrong = []
        for pair in expected[2:]:
            name, _, value = pair.partition(b"=")
            name, _, count = name.partition(b".")
            places = [i for i in range(2, len(got) - 1, 2) if got[i] == name]
            count = int(count or b"1")
            if len(places) < count or not self.matches(value, got[places[count - 1] + 1]):
                wrong.append(pair.decode(errors="backslashreplace"))
        if wrong:
            self.differs(line, f"not so: {', '.join(wrong)}")

    def end_of_answer(self):
        if not self.checked:
            raise self.command.fault("nobody looks at its answer")

    def end_of_rows(self):
        """Every row that was expected is there, and no other."""
        if not self.pending:
            return
        rows = [flat(row) for row in self.answer if isinstance(row, list)] \
            if isinstance(self.answer, list) else []
        for line, expected, literal in self.pending:
            def fits(row):
                return len(row) == len(expected) and all(map(self.matches, expected, row, literal))
            found = next((row for row in rows if fits(row)), None)
            if found is None:
                self.differs(line, "no such row")
            else:
                rows.remove(found)
        if rows:
            self.differs(self.pending[-1][0], f"{len(rows)} rows more")
        self.pending = []

    def all_pages(self, line, words):
        upper = [word.upper() for word in words]
        count = int(words[upper.index(b"COUNT") + 1])
        rows, cursor = [], b"0"
        for _ in range(PAGES_MAX):
            self.answer = page = self.connection.call([*words, b"CURSOR", cursor])
            if not isinstance(page, list) or page[:1] != [b"OK"] or len(page) - 2 > count:
                raise line.fault(f"not a page: {shown(page)}")
            rows += page[2:]
            cursor = page[1]
            if cursor == b"0":
                return [b"OK", b"0", *rows]
        raise line.fault(f"more than {PAGES_MAX} pages")

    # ---- Books ----

    def check_books(self):
        for currency, book in self.daemon.books().items():
            if book["sum"] != 0:
                self.faults.append(f"{self.path.name}: the books of {currency} add up to {book['sum']}: {book}")

    def check_settled(self, line):
        self.command = line
        try:
            self.daemon.assert_settled()
        except AssertionError as error:
            self.faults.append(f"{line.place}: not settled: {error}")


def main():
    arguments = sys.argv[1:]
    verbose = "-v" in arguments
    paths = [Path(argument) for argument in arguments if argument != "-v"]
    if not paths:
        sys.exit(__doc__)
    failed = 0
    for path in paths:
        try:
            faults = Story(path, verbose).play()
        except (Fault, AssertionError, OSError, ConnectionError) as error:
            faults = [f"{path.name}: {error}"]
        for fault in faults:
            print(fault, flush=True)
        print(f"{path.stem}: {'FAILED' if faults else 'as told'}", flush=True)
        failed += bool(faults)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
