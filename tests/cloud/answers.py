"""Answers, and errors in the form of each service."""

import json
from xml.sax.saxutils import escape

JSON = "application/x-amz-json-1.1"


class Answer:
    """A whole HTTP answer. `length` is the Content-Length where it is not that of the body, as after a HEAD."""

    def __init__(self, status, body=b"", headers=(), content_type=None):
        self.status, self.body, self.headers = status, body, list(headers)
        if content_type:
            self.headers.append(("Content-Type", content_type))


class AwsError(Exception):
    """An error that a service answers with."""

    def __init__(self, code, message, status=400, **more):
        super().__init__(code, message)
        self.code, self.message, self.status, self.more = code, message, status, more


def ok(body):
    return Answer(200, json.dumps(body, default=str).encode(), content_type=JSON)


def error(request, failure):
    """S3 and STS speak XML, the others JSON 1.0 or 1.1 with the error's name in `__type`."""
    if request.service == "s3":
        return _s3(request, failure)
    if request.service in ("sts", "iam"):
        return _query(failure)
    name = failure.code
    if request.service == "dynamodb":
        prefix = "com.amazon.coral.service" if name in _CORAL else "com.amazonaws.dynamodb.v20120810"
        body = {"__type": f"{prefix}#{name}", "message": failure.message}
        return Answer(failure.status, json.dumps(body).encode(), content_type="application/x-amz-json-1.0")
    body = {"__type": name, "message" if name in _CORAL else "Message": failure.message, **failure.more}
    return Answer(failure.status, json.dumps(body).encode(), content_type=JSON)


# Errors that come from the layer before the service, which spells the message in lower case, save for denials.
_CORAL = {"ValidationException", "ThrottlingException", "ExpiredTokenException", "UnrecognizedClientException"}


def _s3(request, failure):
    if request.method == "HEAD":
        # A HEAD's answer has no body, so a client sees the status alone.
        return Answer(failure.status)
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{failure.code}</Code><Message>{escape(failure.message)}</Message>"
        f"<Resource>{escape(request.path)}</Resource><RequestId>DOUBLE0000000000</RequestId><HostId>double</HostId></Error>"
    )
    return Answer(failure.status, text.encode(), content_type="application/xml")


def _query(failure):
    text = (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>{failure.code}</Code><Message>{escape(failure.message)}</Message></Error>"
        "<RequestId>double</RequestId></ErrorResponse>"
    )
    return Answer(failure.status, text.encode(), content_type="text/xml")
