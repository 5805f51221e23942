"""A strict double of AWS: moto, with what moto lets through refused, faults on request, and a log of every call.

    server.py --port PORT [--calls FILE]

prints 'ready' when it listens on the loopback. FILE gets a line of JSON for each permission that a call needed:

    {"principal": KEY_ID, "action": "s3:GetObject", "resources": [ARN, ...], "status": 200}

with "prefix" (of a listing), "kms_key", "requester_pays", "transaction" and "via": "athena" (what a query did with its caller's
rights) where they apply. The status is 0 where the connection was dropped before an answer.

A test sets it up over HTTP:

    POST   /_double/faults    [{"action": "glue:BatchCreatePartition", "error": "throttle", "times": 3}, ...]
                              error: throttle, throttling, 500, 503, expired, invalid_token, denied, conflict, concurrent,
                              too_many, drop or drop_before (nothing was done), drop_after (all was done), truncate (half of the
                              body comes); or "delay": SECONDS, alone or before an error. action may hold * and ?. Optional: times
                              (else always), skip (so many calls are let pass first), principal, resource (part of an ARN)
    GET    /_double/faults    those that are left
    DELETE /_double/faults    none from now on
    POST   /_double/settings  {"glue_page": 7, ...}: see DEFAULTS in faults.py; DELETE brings the defaults back
    POST   /_double/deny      {"principal": KEY_ID, "allow": [{"action": "s3:Get*", "resource": "arn:aws:s3:::b/*"}, ...]}:
                              that principal may do nothing else. An entry's "prefix" is what a listing must ask for
    DELETE /_double/deny      everybody may do everything again
    GET    /_double/calls?since=N   the log from its line N on, as a list
"""

import argparse
import contextlib
import io
import json
import logging
import os
import signal
import socket
import sys
import threading
import traceback

# The sources' folder stays as it is.
sys.dont_write_bytecode = True
# Without it each answer of moto passes a layer for browsers that nobody here needs.
os.environ.setdefault("MOTO_DISABLE_GLOBAL_CORS", "true")
# moto would else fall back to credentials and services outside of this machine for some calls.
os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app  # noqa: E402
from werkzeug.serving import ThreadedWSGIServer  # noqa: E402

import athena  # noqa: E402
import calls  # noqa: E402
import faults  # noqa: E402
import glue  # noqa: E402
import shapes  # noqa: E402
from answers import Answer, AwsError, error, ok  # noqa: E402


class Drop(Exception):
    """Closes the connection without an answer, or after the half of one."""

    def __init__(self, answer=None):
        super().__init__()
        self.answer = answer


class Double:
    """Everything between the socket and moto."""

    def __init__(self, log_file=None):
        self.moto = DomainDispatcherApplication(create_backend_app)
        self._parts = {}
        self.log = calls.Log(log_file)
        self.control = faults.Control()
        # moto's back ends are no databases: of two writers with If-None-Match both might win, a listing breaks when a key
        # comes in, and a read when its object is replaced. So all calls of moto go one after the other; Python would run
        # little of them at once anyhow.
        self.lock = threading.RLock()
        self.glue = glue.Glue(self.control)
        self.athena = athena.Athena(self)

    def answer(self, request, environ):
        """The answer to a request; what IAM would have checked for it goes to the log."""
        if request.path.startswith("/_double/"):
            return self._controlled(request)
        if request.path.startswith("/moto-api"):
            return self._moto(environ, request.body)
        needed = calls.describe(request, self.athena.workgroup_of)
        status = None
        try:
            answer = self._judged(request, needed, environ)
            status = answer.status
            return answer
        except AwsError as failure:
            status = failure.status
            return error(request, failure)
        except Drop as drop:
            status = drop.answer.status if drop.answer else 0
            raise
        finally:
            for call in needed:
                call.status = call.status or status
            self.log.add(needed)

    def _judged(self, request, needed, environ):
        """A fault comes first, then IAM, then the service."""
        fault, call = self.control.fault(needed)
        if fault:
            self.control.raise_fault(request, fault, call)
            if fault.get("error") in ("drop", "drop_before"):
                raise Drop
        errors = []
        if request.service == "s3" and request.method == "POST" and request.has("delete"):
            request.body, errors = faults.drop_denied_keys(self.control, request, needed)
        else:
            self.control.check(request, needed)
        # With no key left to delete there is nothing to ask moto, which would not take it.
        empty = Answer(200, b"<DeleteResult></DeleteResult>", content_type="application/xml")
        answer = empty if request.body is None else self._served(request, environ)
        if errors:
            answer.body = answer.body.replace(b"</DeleteResult>", "".join(errors).encode() + b"</DeleteResult>")
        if fault and fault.get("error") == "drop_after":
            raise Drop
        if fault and fault.get("error") == "truncate":
            raise Drop(answer)
        return answer

    def _served(self, request, environ):
        shapes.validate(request.service, request.operation, request.params)
        if request.service == "s3":
            return self._s3(request, environ)
        if request.service == "glue":
            with self.lock:
                answer = self.glue.answer(request)
        elif request.service == "athena":
            answer = self.athena.answer(request)
        else:
            answer = None
        if answer is None:
            with self.lock:
                body = json.dumps(request.params).encode() if request.service == "glue" else request.body
                streams = "Streams" in (request.headers.get("X-Amz-Target") or "")
                answer = self._moto(environ, body, "dynamodb" if request.service == "dynamodb" and not streams else None)
        if request.service == "sts" and answer.status == 200:
            self.control.remember_role(request, answer)
        return answer

    def _s3(self, request, environ):
        if request.bucket in self.control.settings["requester_pays"] and not request.headers.get("x-amz-request-payer"):
            raise AwsError("AccessDenied", "Access Denied", 403)
        with self.lock:
            self._conditional_completion(request, environ)
            answer = self._moto(environ, request.body, "s3")
        if answer.status == 404 and request.key and request.method in ("GET", "HEAD") and self.control.hides_missing(request):
            raise AwsError("AccessDenied", "Access Denied", 403)
        return answer

    def _conditional_completion(self, request, environ):
        """S3 heeds If-None-Match when an upload in parts is completed, and when an object is copied; moto does not."""
        completes = request.method == "POST" and request.has("uploadId")
        copies = request.method == "PUT" and request.headers.get("x-amz-copy-source") and not request.has("uploadId")
        if request.headers.get("If-None-Match") == "*" and (completes or copies):
            head = {**environ, "REQUEST_METHOD": "HEAD", "QUERY_STRING": ""}
            head.pop("HTTP_IF_NONE_MATCH", None)
            if self._moto(head, b"").status == 200:
                raise AwsError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)

    def _moto(self, environ, body, service=None):
        """Asks moto itself. It looks for a service's part among all of its own, each time; here it is kept."""
        environ = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        started = {}

        def start_response(status, headers, exc_info=None):
            started["status"], started["headers"] = int(status.split()[0]), headers

        part = self._parts.get(service)
        if part is None:
            part = self.moto.get_application(environ)
            if service:
                self._parts[service] = part
        chunks = part(environ, start_response)
        try:
            body = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return Answer(started["status"], body, started["headers"])

    def _controlled(self, request):
        """The endpoints under /_double/, by which a test sets this up and asks what was called."""
        try:
            return self._control(request)
        except (ValueError, KeyError, TypeError) as wrong:
            return Answer(400, json.dumps({"wrong": str(wrong)}).encode())

    def _control(self, request):
        name, given = request.path[len("/_double/") :], json.loads(request.body or b"null")
        if (request.method, name) == ("POST", "faults"):
            self.control.add_faults(given)
        elif (request.method, name) == ("DELETE", "faults"):
            self.control.clear_faults()
        elif (request.method, name) == ("GET", "faults"):
            return ok(self.control.faults_left())
        elif (request.method, name) == ("POST", "settings"):
            self.control.set(given)
        elif (request.method, name) == ("DELETE", "settings"):
            self.control.set(faults.DEFAULTS)
        elif (request.method, name) == ("POST", "deny"):
            self.control.deny_all_but(given["principal"], given["allow"])
        elif (request.method, name) == ("DELETE", "deny"):
            self.control.clear_denials()
        elif (request.method, name) == ("GET", "calls"):
            return ok(self.log.since(int(request.first("since", "0"))))
        else:
            return Answer(404, b'{"wrong": "no such endpoint"}')
        return ok({})


class Handler(MotoRequestHandler):
    """Reads a request whole and answers it whole, so that a connection can be used again."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body of an answer leave together
    disable_nagle_algorithm = True

    def run_wsgi(self):
        environ = self.make_environ()
        body = self._body(environ)
        # moto gets the body as one piece, whichever way it came.
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        try:
            request = calls.Request(self.command, self.path, self.headers, body)
            self._send(self.server.double.answer(request, environ))
        except Drop as drop:
            if drop.answer:
                self._send(drop.answer, half=True)
            self._close()
        except ConnectionError:
            self.close_connection = True
        except Exception:
            traceback.print_exc()
            self._send(Answer(500, b"the double broke; its standard error says where"))

    def handle_expect_100(self):
        """Bids a client send its body; what was written waits in a buffer otherwise."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def _body(self, environ):
        if environ.get("wsgi.input_terminated"):
            return io.BufferedReader(environ["wsgi.input"]).read()
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _send(self, answer, half=False):
        self.send_response(answer.status)
        length = None
        for name, value in answer.headers:
            if name.lower() == "content-length":
                length = value
            elif name.lower() not in ("connection", "date", "server", "transfer-encoding"):
                self.send_header(name, value)
        # After a HEAD the length is that of the object, which moto tells; else it is what follows.
        if self.command != "HEAD" or length is None:
            length = len(answer.body)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command != "HEAD" and answer.status not in (204, 304):
            self.wfile.write(answer.body[: len(answer.body) // 2] if half else answer.body)
        self.wfile.flush()

    def _close(self):
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_request(self, *_):
        """Says nothing: the log of calls has it all."""

    def log_error(self, *_):
        """As above: a client that goes away is no news here."""


class Server(ThreadedWSGIServer):
    daemon_threads = True
    request_queue_size = 512  # a hundred clients may come at once


def main():
    parser = argparse.ArgumentParser(description="A strict double of AWS, on the loopback.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--calls", help="a file to which each call is appended as a line of JSON")
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    os.environ["MOTO_PORT"] = str(options.port)
    server = Server("127.0.0.1", options.port, None, handler=Handler)
    server.double = Double(options.calls)
    # So that what is to be done at the end, as removing files, is done.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("ready", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
