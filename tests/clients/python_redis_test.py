#!/usr/bin/env python3
"""python3-redis, as an AGI script or a portal would use it: what it sends of its own accord gets what it needs."""

import contextlib
import os
import signal
import time
import unittest

import world

import runner

try:
    import redis
except ImportError:
    redis = None

AT = ("AT", "2026-03-02T10:00:00Z")


@contextlib.contextmanager
def connection_of(client):
    """One connection of a client's pool: its answers come without the client's own changes."""
    connection = client.connection_pool.get_connection("_")
    try:
        yield connection
    finally:
        client.connection_pool.release(connection)


def pairs(answer):
    """code, figure, {name: value} of a flat answer."""
    return answer[0], answer[1], dict(zip(answer[2::2], answer[3::2]))


@unittest.skipIf(redis is None, "python3-redis is not installed")
class PythonRedisTest(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(world.World("resp.unix=resp.sock"))

    def client(self, **options):
        client = redis.Redis(host="127.0.0.1", port=self.daemon.resp_port, **options)
        self.addCleanup(client.close)
        return client

    def test_a_whole_call(self):
        client = self.client(decode_responses=True)
        self.assertIs(client.ping(), True)
        self.assertEqual(client.echo("hello"), "hello")
        code, granted, answer = pairs(client.execute_command("AUTHORIZE", "a1", "4930123", "one", "WANT", 60, *AT))
        self.assertEqual((code, granted, answer["held"], answer["dup"]), ("OK", "60", "0.6", "0"))
        self.assertEqual(client.execute_command("START", "one"), ["OK", "60", "dup", "0"])
        code, granted, answer = pairs(client.execute_command("EXTEND", "one", "USED", 30, "WANT", 60))
        self.assertEqual((code, granted, answer["charged"]), ("OK", "90", "0.3"))
        code, charged, answer = pairs(client.execute_command("STOP", "one", 45.5))
        self.assertEqual((code, charged, answer["billed"], answer["status"]), ("OK", "0.46", "46", "stopped"))
        self.assertEqual(client.execute_command("BALANCE", "alice", "PLAIN"),
                         "OK 999.54 currency EUR held 0 available 999.54 credit_limit 0 status active")
        self.daemon.assert_settled()

    # Bytes unless one asks for text; an id of any bytes comes back as it went.
    def test_bytes(self):
        client = self.client()
        call_id = b'"%<>@\r\n\0\xff'
        self.assertEqual(client.execute_command("AUTHORIZE", "a1", "4930123", call_id, "WANT", 60)[:2], [b"OK", b"60"])
        self.assertEqual(client.execute_command("SESSIONS")[2][:3], [call_id, b"a1", b"4930123"])
        self.assertEqual(client.execute_command("RELEASE", call_id), [b"OK", b"0", b"dup", b"0"])

    # A refusal is an answer; what is malformed is an error, and the connection is still good.
    def test_errors(self):
        client = self.client(decode_responses=True, single_connection_client=True)
        own = client.client_id()
        self.assertEqual(client.execute_command("RELEASE", "never"), ["UNKNOWN_SESSION", "0", "dup", "0"])
        with self.assertRaisesRegex(redis.ResponseError, "^BADARG s: .*nonsense"):
            client.execute_command("STOP", "never", "nonsense")
        with self.assertRaisesRegex(redis.ResponseError, "^unknown command 'GETEX'"):
            client.execute_command("GETEX", "x")
        with self.assertRaises(redis.ResponseError):
            client.flushall()
        with self.assertRaises(redis.ResponseError):
            client.eval("return 1", 0)
        self.assertEqual(client.client_id(), own)

    def test_pipeline(self):
        client = self.client(decode_responses=True)
        pipeline = client.pipeline(transaction=False)
        for call in range(500):
            pipeline.execute_command("AUTHORIZE", "a1", "4930123", f"p-{call}", "WANT", 60, *AT)
            pipeline.execute_command("STOP", f"p-{call}", 10)
        answers = pipeline.execute()
        self.assertEqual(len(answers), 1000)
        for granted, stopped in zip(answers[::2], answers[1::2]):
            self.assertEqual((granted[:2], stopped[:2]), (["OK", "60"], ["OK", "0.1"]))
        # One that is wrong does not disturb those around it.
        pipeline.execute_command("BALANCE", "alice")
        pipeline.execute_command("STOP", "x", "nonsense")
        pipeline.execute_command("BALANCE", "alice")
        before, wrong, after = pipeline.execute(raise_on_error=False)
        self.assertEqual((before[:2], before), (["OK", "950"], after))
        self.assertIsInstance(wrong, redis.ResponseError)
        self.daemon.assert_settled()

    # MULTI is not there, and says so as an error that the client understands.
    def test_transactions_are_refused(self):
        client = self.client()
        pipeline = client.pipeline(transaction=True)
        pipeline.execute_command("BALANCE", "alice")
        with self.assertRaises(redis.ResponseError):
            pipeline.execute()
        self.assertIs(self.client().ping(), True)

    # What this and later versions send when they connect.
    def test_handshakes(self):
        named = self.client(client_name="agi", db=0, decode_responses=True)
        self.assertIs(named.ping(), True)
        self.assertEqual(named.client_getname(), "agi")
        self.assertEqual(named.client_setname("other"), True)
        self.assertIn("other", [client["name"] for client in named.client_list()])
        self.assertIs(named.select(0), True)
        for words in (("SETINFO", "LIB-NAME", "redis-py"), ("SETINFO", "LIB-VER", "5.0.1"),
                      ("SETINFO", "lib-name", "redis-py(upstream_v1.0)")):
            self.assertIn(named.execute_command("CLIENT", *words), (True, "OK"))
        self.assertIsInstance(named.client_id(), int)
        with connection_of(named) as connection:
            connection.send_command("HELLO", 2)
            hello = connection.read_response()
            hello = dict(zip(hello[::2], hello[1::2]))
            self.assertEqual((hello["proto"], hello["mode"], hello["role"]), (2, "standalone", "master"))
            connection.send_command("HELLO", 2, "SETNAME", "by-hello")
            connection.read_response()
            connection.send_command("CLIENT", "GETNAME")
            self.assertEqual(connection.read_response(), "by-hello")
            connection.send_command("HELLO", 4)
            with self.assertRaisesRegex(redis.ResponseError, "NOPROTO"):
                connection.read_response()
            connection.send_command("RESET")
            self.assertEqual(connection.read_response(), "RESET")
            connection.send_command("CLIENT", "GETNAME")
            self.assertIsNone(connection.read_response())

    def test_housekeeping(self):
        client = self.client(decode_responses=True)
        info = client.info()
        self.assertEqual((info["redis_mode"], info["role"], info["loading"]), ("standalone", "master", 0))
        self.assertRegex(info["redis_version"], r"^\d+\.\d+\.\d+$")
        self.assertEqual(client.config_get("*"), {})
        self.assertEqual(len(client.time()), 2)
        self.assertLess(abs(client.time()[0] - time.time()), 5)
        self.assertGreater(client.command_count(), 20)
        self.assertEqual(client.execute_command("COMMAND", "INFO", "AUTHORIZE")["authorize"]["name"], "authorize")
        self.assertIn(client.execute_command("QUIT"), (True, "OK"))

    def test_unix_socket(self):
        client = redis.Redis(unix_socket_path=self.daemon.unix_path)
        self.addCleanup(client.close)
        self.assertIs(client.ping(), True)

    def test_another_database_is_refused(self):
        with self.assertRaisesRegex(redis.ResponseError, "SELECT 0"):
            self.client(db=1).ping()

    # A password that nobody asked for is an error, not a silence.
    def test_a_password_is_refused(self):
        with self.assertRaises(redis.RedisError):
            self.client(password="secret").ping()
        with self.assertRaises(redis.RedisError):
            self.client(username="switch", password="secret").ping()

    # It PINGs before a command where the connection was idle for a second.
    def test_health_checks(self):
        client = self.client(health_check_interval=1, decode_responses=True, single_connection_client=True)
        first = client.client_id()
        time.sleep(1.2)
        self.assertEqual(client.client_id(), first)

    # The client closes, for an idle pool or between requests, and goes on by a new connection.
    def test_reconnects_after_its_own_close(self):
        client = self.client(decode_responses=True)
        first = client.client_id()
        client.execute_command("AUTHORIZE", "a1", "4930123", "again", "WANT", 60)
        client.connection_pool.disconnect()
        self.assertEqual(client.execute_command("START", "again"), ["OK", "60", "dup", "0"])
        self.assertNotEqual(client.client_id(), first)
        client.connection_pool.disconnect()
        self.assertEqual(client.execute_command("START", "again"), ["OK", "60", "dup", "1"])
        self.assertEqual(client.execute_command("STOP", "again", 5)[:2], ["OK", "0.05"])

    # The daemon closes (a command of more than 16 KiB): an error, then a connection that works.
    def test_reconnects_after_the_daemons_close(self):
        client = self.client(decode_responses=True)
        with self.assertRaises(redis.RedisError):
            client.execute_command("ECHO", "x" * 20_000)
        for _ in range(3):
            try:
                answer = client.execute_command("BALANCE", "alice")
                break
            except redis.ConnectionError:
                continue
        self.assertEqual(answer[:2], ["OK", "1000"])

    # A daemon that goes away is noticed at once.
    def test_a_daemon_that_ends(self):
        client = self.client()
        self.assertIs(client.ping(), True)
        os.kill(self.daemon.process.pid, signal.SIGTERM)
        self.daemon.process.wait(60)
        with self.assertRaises(redis.ConnectionError):
            client.ping()


if __name__ == "__main__":
    runner.main()
