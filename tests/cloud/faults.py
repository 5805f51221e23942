"""Faults that a test asks for, settings, and a tiny IAM."""

import fnmatch
import re
import threading
import time
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from answers import AwsError
from calls import ACCOUNT, Call, role_of

# A body that is written again keeps S3's names without a prefix: moto reads no other.
ElementTree.register_namespace("", "http://s3.amazonaws.com/doc/2006-03-01/")

DROPS = {"drop", "drop_before", "drop_after", "truncate"}
DEFAULTS = {
    "glue_page": None,  # partitions or tables that one answer holds at most
    "athena_page": None,  # rows that one page of results holds at most
    "athena_polls": 2,  # answers of GetQueryExecution (QUEUED, RUNNING, ...) before the final one
    "athena_scan_factor": 1,  # how many bytes each byte of a file counts: a work group's cut-off is ten million at the least
    "athena_recursive": False,  # whether a partition is also what lies in folders below its location
    "unprocessed_once": False,  # the next BatchGetPartition leaves half of its keys unprocessed
    "glue_entry_error": None,  # {"database", "code", "times"}: so many BatchCreatePartitions refuse their first entry
    "requester_pays": [],  # buckets that answer 403 to a request without x-amz-request-payer
}


def sentence(principal, role, call, resource):
    """What AWS says to whom it refuses. S3 puts the resource in quotes."""
    shown = f'"{resource}"' if call.action.startswith("s3:") else resource
    who = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role or principal or 'anonymous'}/x"
    return (
        f"User: {who} is not authorized to perform: {call.action} on resource: {shown} "
        f"because no identity-based policy allows the {call.action} action"
    )


class Control:
    """What the control endpoints set; asked before and after each call."""

    def __init__(self):
        self._lock = threading.Lock()
        self._faults, self._allowed, self._roles = [], {}, {}
        self.settings = dict(DEFAULTS)

    # --- faults

    def add_faults(self, faults):
        for fault in faults:
            if fault.get("error") not in DROPS and fault.get("error") not in _ERRORS and "delay" not in fault:
                raise ValueError(f"no such error: {fault.get('error')}")
        with self._lock:
            self._faults.extend(dict(fault) for fault in faults)

    def clear_faults(self):
        with self._lock:
            self._faults.clear()

    def faults_left(self):
        with self._lock:
            return [dict(fault) for fault in self._faults]

    def fault(self, calls):
        """The first fault that fits one of the calls, counted down, and the call that it fits."""
        with self._lock:
            for fault in self._faults:
                call = next((call for call in calls if _fits(fault, call)), None)
                if call is None:
                    continue
                if fault.get("skip", 0) > 0:
                    fault["skip"] -= 1
                    continue
                if "times" in fault:
                    fault["times"] -= 1
                    if fault["times"] <= 0:
                        self._faults.remove(fault)
                return fault, call
        return None, None

    def raise_fault(self, request, fault, call):
        """The error that a fault names, in the service's words; nothing for a mere delay or a drop."""
        if fault.get("delay"):
            time.sleep(fault["delay"])
        if fault.get("error") in _ERRORS:
            if fault["error"] == "denied":
                part = fault.get("resource", "")
                raise self.denied(request, call, next(resource for resource in call.resources if part in resource))
            raise _ERRORS[fault["error"]](request.service)

    # --- settings

    def set(self, settings):
        unknown = set(settings) - set(DEFAULTS)
        if unknown:
            raise ValueError(f"no such settings: {sorted(unknown)}")
        with self._lock:
            self.settings.update(settings)

    def take_once(self, name):
        with self._lock:
            was, self.settings[name] = self.settings[name], False
            return was

    # --- a tiny IAM

    def deny_all_but(self, principal, allow):
        with self._lock:
            self._allowed[principal] = list(allow)

    def clear_denials(self):
        with self._lock:
            self._allowed.clear()

    def remember_role(self, request, answer):
        """Which role a key that STS just gave out stands for: the sentence of a refusal names it."""
        found = re.search(rb"<AccessKeyId>([^<]+)</AccessKeyId>", answer.body)
        if found and "RoleArn" in request.params:
            self._roles[found[1].decode()] = role_of(request.params["RoleArn"])

    def denied(self, request, call, resource):
        role = self._roles.get(call.principal)
        code = "AccessDenied" if request.service in ("s3", "sts", "iam") else "AccessDeniedException"
        status = 403 if request.service in ("s3", "sts", "iam") else 400
        return AwsError(code, sentence(call.principal, role, call, resource), status)

    def refused(self, call):
        """The first resource of a call that its principal may not use, or None."""
        allow = self._allowed.get(call.principal)
        if allow is None:
            return None
        return next((resource for resource in call.resources if not _allows(allow, call, resource)), None)

    def check(self, request, calls):
        """Refuses a request as IAM does: every resource of every call must be allowed."""
        for call in calls:
            resource = self.refused(call)
            if resource is not None:
                raise self.denied(request, call, resource)

    def hides_missing(self, request):
        """Whether a key that is not there is answered with 403: S3 says 404 only to those who may list the bucket."""
        call = Call(request, "s3:ListBucket", [f"arn:aws:s3:::{request.bucket}"], prefix=request.key)
        return self.refused(call) is not None


def _fits(fault, call):
    if not _matches(fault.get("action", "*"), call.action, ignore_case=True):
        return False
    if fault.get("principal") not in (None, call.principal):
        return False
    part = fault.get("resource")
    return part is None or any(part in resource for resource in call.resources)


def _allows(allow, call, resource):
    """Whether one of the entries covers it; an entry with `prefix` is one with a condition on s3:prefix."""
    return any(
        _matches(entry["action"], call.action, ignore_case=True)
        and _matches(entry.get("resource", "*"), resource)
        and ("prefix" not in entry or _matches(entry["prefix"], call.more.get("prefix", "")))
        for entry in allow
    )


def _matches(pattern, text, ignore_case=False):
    """IAM knows * and ? only, so a bracket stands for itself. Actions may be written in any case."""
    pattern = pattern.replace("[", "[[]")
    if ignore_case:
        pattern, text = pattern.lower(), text.lower()
    return fnmatch.fnmatchcase(text, pattern)


# --- each service's way to say it


def _throttle(service):
    if service == "s3":
        return AwsError("SlowDown", "Please reduce your request rate.", 503)
    if service == "dynamodb":
        message = "The level of configured provisioned throughput for the table was exceeded."
        return AwsError("ProvisionedThroughputExceededException", message)
    if service in ("sts", "iam"):
        return AwsError("Throttling", "Rate exceeded")
    return AwsError("ThrottlingException", "Rate exceeded")


def _internal(service):
    name = {
        "s3": "InternalError",
        "dynamodb": "InternalServerError",
        "glue": "InternalServiceException",
        "athena": "InternalServerException",
    }.get(service, "InternalFailure")
    return AwsError(name, "We encountered an internal error. Please try again.", 500)


def _unavailable(service):
    name = {"s3": "ServiceUnavailable", "sts": "ServiceUnavailable"}.get(service, "ServiceUnavailableException")
    return AwsError(name, "Service is unable to handle request.", 503)


def _expired(service):
    if service == "s3":
        return AwsError("ExpiredToken", "The provided token has expired.", 400)
    if service in ("sts", "iam"):
        return AwsError("ExpiredToken", "The security token included in the request is expired", 403)
    return AwsError("ExpiredTokenException", "The security token included in the request is expired")


def _invalid_token(service):
    if service == "s3":
        return AwsError("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403)
    return AwsError("UnrecognizedClientException", "The security token included in the request is invalid.")


def _too_many(_service):
    message = "You have exceeded the limit for the number of queries you can run concurrently."
    return AwsError("TooManyRequestsException", message, Reason="CONCURRENT_QUERY_LIMIT_EXCEEDED")


_ERRORS = {
    "throttle": _throttle,
    # On-demand tables and the control plane of DynamoDB say ThrottlingException.
    "throttling": lambda service: AwsError("ThrottlingException", "Rate exceeded"),
    "500": _internal,
    "503": _unavailable,
    "expired": _expired,
    "invalid_token": _invalid_token,
    "too_many": _too_many,
    # S3's answer where two conditional writes of one key meet.
    "conflict": lambda service: AwsError(
        "ConditionalRequestConflict",
        "The conditional request cannot succeed due to a conflicting operation against this resource.",
        409,
    ),
    # Glue's answer where two writers change one table.
    "concurrent": lambda service: AwsError(
        "ConcurrentModificationException", "Update table failed due to concurrent modifications."
    ),
    "denied": None,
}


def drop_denied_keys(control, request, calls):
    """DeleteObjects refuses key by key, inside an answer of 200: the body without the refused keys
    (None where no key is left), and their errors."""
    refused = [call for call in calls if control.refused(call) is not None]
    if not refused:
        return request.body, []
    keys = {call.resources[0].split(":::", 1)[1].partition("/")[2] for call in refused}
    root = ElementTree.fromstring(request.body)
    for element in list(root):
        if any(child.text in keys for child in element if child.tag.rpartition("}")[2] == "Key"):
            root.remove(element)
    errors = [
        f"<Error><Key>{escape(key)}</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        for key in sorted(keys)
    ]
    for call in refused:
        call.status = 403
    return ElementTree.tostring(root) if len(keys) < len(calls) else None, errors
