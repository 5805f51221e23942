"""The limits that AWS states in its API references, read from the same models that its SDKs are made of.

botocore carries, for each member of a request, the least and the most it may hold and its pattern. AWS enforces these; SDKs
check almost none of them, and moto few. So a list of 101 partitions is refused here as it is there.
"""

import functools
import re
import threading

import botocore.session

from answers import AwsError

# DynamoDB and STS are left to moto, which checks them itself.
CHECKED = ("glue", "athena")
_lock = threading.Lock()
_session = botocore.session.get_session()


def validate(service, operation, params):
    """Raises a ValidationException that names all that is wrong, in AWS's words."""
    if service not in CHECKED:
        return
    shape = _input_shape(service, operation)
    if shape is None:
        raise AwsError("UnknownOperationException", f"no such operation: {operation}")
    wrong = list(_faults(shape, params, ""))
    if not wrong:
        return
    count = "1 validation error" if len(wrong) == 1 else f"{len(wrong)} validation errors"
    # Athena wraps what its front layer finds into its own error.
    code = "InvalidRequestException" if service == "athena" else "ValidationException"
    raise AwsError(code, f"{count} detected: {'; '.join(wrong[:10])}")


@functools.cache
def _input_shape(service, operation):
    with _lock:
        model = _session.get_service_model(service)
        return model.operation_model(operation).input_shape if operation in model.operation_names else None


def _faults(shape, value, path):
    if value is None:
        return
    kind = shape.type_name
    if kind == "structure":
        yield from _structure(shape, value, path)
    elif kind == "list":
        yield from _length(shape, value, path)
        for index, item in enumerate(value):
            yield from _faults(shape.member, item, f"{path}.{index + 1}.member")
    elif kind == "map":
        yield from _length(shape, value, path)
        for name, item in value.items():
            yield from _faults(shape.value, item, f"{path}.{name}.member")
    elif kind == "string":
        yield from _string(shape, value, path)
    elif kind in ("integer", "long"):
        yield from _number(shape, value, path)


def _structure(shape, value, path):
    for name in shape.required_members:
        if value.get(name) is None:
            yield _sentence("null", _join(path, name), "Member must not be null")
    for name, member in shape.members.items():
        yield from _faults(member, value.get(name), _join(path, name))


def _length(shape, value, path):
    most, least = shape.metadata.get("max"), shape.metadata.get("min")
    if most is not None and len(value) > most:
        yield _sentence("[...]", path, f"Member must have length less than or equal to {most}")
    if least is not None and len(value) < least:
        yield _sentence("[]", path, f"Member must have length greater than or equal to {least}")


def _string(shape, value, path):
    yield from _length(shape, value, path)
    pattern = _pattern(shape.metadata.get("pattern"))
    if pattern and not pattern.fullmatch(value):
        yield _sentence(value, path, f"Member must satisfy regular expression pattern: {shape.metadata['pattern']}")
    if shape.enum and value not in shape.enum:
        yield _sentence(value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")


def _number(shape, value, path):
    most, least = shape.metadata.get("max"), shape.metadata.get("min")
    if most is not None and value > most:
        yield _sentence(value, path, f"Member must have value less than or equal to {most}")
    if least is not None and value < least:
        yield _sentence(value, path, f"Member must have value greater than or equal to {least}")


@functools.cache
def _pattern(text):
    """Patterns are Java's, which counts in halves of a character beyond the first 65,536."""
    if not text:
        return None
    text = text.replace(r"\uD800\uDC00-\uDBFF\uDFFF", "\\U00010000-\\U0010FFFF")
    try:
        return re.compile(text)
    except re.error:
        return None  # such as \p{L}, which Python lacks


def _sentence(value, path, rule):
    shown = str(value) if len(str(value)) < 200 else str(value)[:200] + "..."
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: {rule}"


def _join(path, name):
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name
