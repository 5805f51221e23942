"""What a request is in IAM's words: who asks, for which action, on which resources. And the log of it.

The mapping follows the "Actions, resources, and condition keys" pages of the Service Authorization Reference.
"""

import json
import re
import threading
from urllib.parse import parse_qs, unquote, unquote_plus
from xml.etree import ElementTree

ACCOUNT = "123456789012"
SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/")
JSON_SERVICES = {
    "AWSGlue": "glue",
    "AmazonAthena": "athena",
    "DynamoDB_20120810": "dynamodb",
    "DynamoDBStreams_20120810": "dynamodb",
    "AmazonSQS": "sqs",
    "AWSStepFunctions": "states",
    "AWSEvents": "events",
    "Logs_20140328": "logs",
}


class Request:
    """One HTTP request, read whole, with what a signed AWS request tells about itself."""

    def __init__(self, method, raw_path, headers, body):
        self.method, self.headers, self.body = method, headers, body
        path, _, query = raw_path.partition("?")
        self.path = unquote(path)
        self.query = parse_qs(query, keep_blank_values=True)
        scope = SCOPE.search(headers.get("Authorization") or "")
        if not scope and "X-Amz-Credential" in self.query:
            scope = SCOPE.search("Credential=" + self.query["X-Amz-Credential"][0])
        self.principal, self.region, self.service = scope.groups() if scope else ("", "us-east-1", "")
        self.operation, self.params = "", {}
        self._read_operation()

    def _read_operation(self):
        target = self.headers.get("X-Amz-Target") or ""
        form = (self.headers.get("Content-Type") or "").startswith("application/x-www-form-urlencoded")
        if target:
            prefix, _, self.operation = target.rpartition(".")
            self.service = self.service or JSON_SERVICES.get(prefix, prefix.lower())
            try:
                self.params = json.loads(self.body or b"{}")
            except ValueError:
                self.params = {}
        elif form and self.service != "s3" and self.body:
            fields = parse_qs(self.body.decode("utf-8", "replace"))
            self.params = {name: values[0] for name, values in fields.items()}
            self.operation = self.params.get("Action", "")
            # AssumeRoleWithWebIdentity is the one call of ours that nobody signs.
            self.service = self.service or ("sts" if self.operation.startswith("Assume") else "s3")
        else:
            self.service = self.service or "s3"

    @property
    def bucket(self):
        return self.path.lstrip("/").partition("/")[0]

    @property
    def key(self):
        return self.path[1:].partition("/")[2]

    def has(self, name):
        return name in self.query

    def first(self, name, default=None):
        return self.query.get(name, [default])[0]


class Call:
    """One permission that a request needs. A request may need several."""

    def __init__(self, request, action, resources, **more):
        self.principal, self.action, self.resources, self.more = request.principal, action, resources, more
        self.status = None

    def line(self):
        fixed = {"principal": self.principal, "action": self.action, "resources": self.resources}
        return {**fixed, "status": self.status, **self.more}


def describe(request, athena_workgroup=None):
    """The calls that IAM would check for a request, first what it would refuse first."""
    if request.service == "s3":
        return _s3(request)
    if request.service == "glue":
        return [Call(request, f"glue:{request.operation}", glue_arns(request))]
    if request.service == "dynamodb":
        return _dynamodb(request)
    if request.service == "athena":
        return [Call(request, f"athena:{request.operation}", _athena_arns(request, athena_workgroup))]
    if request.service == "sts":
        return [Call(request, f"sts:{request.operation}", [request.params.get("RoleArn", "*")])]
    if request.service == "sqs":
        name = str(request.params.get("QueueUrl", "*")).rsplit("/", 1)[-1]
        return [Call(request, f"sqs:{request.operation}", [arn(request, "sqs", name)])]
    return [Call(request, f"{request.service}:{request.operation}", ["*"])]


def arn(request, service, rest):
    return f"arn:aws:{service}:{request.region}:{ACCOUNT}:{rest}"


# --- S3

# A query parameter without a value names a part of a bucket or object: what it is called in IAM, for GET and for PUT.
_SUBRESOURCES = {
    "acl": "Acl",
    "policy": "BucketPolicy",
    "versioning": "BucketVersioning",
    "lifecycle": "LifecycleConfiguration",
    "encryption": "EncryptionConfiguration",
    "notification": "BucketNotification",
    "requestPayment": "BucketRequestPayment",
    "cors": "BucketCORS",
    "logging": "BucketLogging",
    "tagging": "BucketTagging",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "ownershipControls": "BucketOwnershipControls",
    "object-lock": "BucketObjectLockConfiguration",
}


def _s3(request):
    more = {}
    if (request.headers.get("x-amz-server-side-encryption") or "").startswith("aws:kms"):
        more["kms_key"] = request.headers.get("x-amz-server-side-encryption-aws-kms-key-id") or "aws/s3"
    if request.headers.get("x-amz-request-payer"):
        more["requester_pays"] = True
    if not request.bucket:
        return [Call(request, "s3:ListAllMyBuckets", ["*"], **more)]
    bucket = f"arn:aws:s3:::{request.bucket}"
    if request.key:
        return _s3_object(request, f"{bucket}/{request.key}", more)
    return _s3_bucket(request, bucket, more)


def _s3_bucket(request, bucket, more):
    if request.method == "POST" and request.has("delete"):
        keys = deleted_keys(request.body)
        return [Call(request, "s3:DeleteObject", [f"{bucket}/{key}"], **more) for key in keys]
    if request.has("location"):
        return [Call(request, "s3:GetBucketLocation", [bucket], **more)]
    if request.has("uploads"):
        return [Call(request, "s3:ListBucketMultipartUploads", [bucket], **more)]
    for parameter, name in _SUBRESOURCES.items():
        if request.has(parameter):
            name = "BucketAcl" if name == "Acl" else name
            return [Call(request, f"s3:{'Get' if request.method == 'GET' else 'Put'}{name}", [bucket], **more)]
    if request.method == "PUT":
        return [Call(request, "s3:CreateBucket", [bucket], **more)]
    if request.method == "DELETE":
        return [Call(request, "s3:DeleteBucket", [bucket], **more)]
    if request.has("versions"):
        return [Call(request, "s3:ListBucketVersions", [bucket], prefix=request.first("prefix", ""), **more)]
    # HeadBucket needs s3:ListBucket too.
    return [Call(request, "s3:ListBucket", [bucket], prefix=request.first("prefix", ""), **more)]


def _s3_object(request, target, more):
    version = "Version" if request.has("versionId") else ""
    if request.has("tagging"):
        verb = {"GET": "Get", "PUT": "Put", "DELETE": "Delete"}.get(request.method, "Get")
        return [Call(request, f"s3:{verb}Object{version}Tagging", [target], **more)]
    if request.has("acl"):
        return [Call(request, f"s3:{'Put' if request.method == 'PUT' else 'Get'}Object{version}Acl", [target], **more)]
    if request.method in ("GET", "HEAD"):
        action = "s3:ListMultipartUploadParts" if request.has("uploadId") else f"s3:GetObject{version}"
        return [Call(request, action, [target], **more)]
    if request.method == "DELETE":
        action = "s3:AbortMultipartUpload" if request.has("uploadId") else f"s3:DeleteObject{version}"
        return [Call(request, action, [target], **more)]
    calls = [Call(request, "s3:PutObject", [target], **more)]
    source = request.headers.get("x-amz-copy-source")
    if source:
        source = unquote(source).lstrip("/")
        # A version's id, if one is named, is no part of the key.
        source, _, version_id = source.partition("?versionId=")
        action = "s3:GetObjectVersion" if version_id else "s3:GetObject"
        calls.insert(0, Call(request, action, [f"arn:aws:s3:::{source}"], **more))
    if request.headers.get("x-amz-tagging"):
        calls.append(Call(request, "s3:PutObjectTagging", [target], **more))
    return calls


def deleted_keys(body):
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return []
    return [element.text or "" for element in root.iter() if element.tag.rpartition("}")[2] == "Key"]


# --- Glue

# Calls whose table stands elsewhere than in TableName.
_TABLE_IN_NAME = {"GetTable", "DeleteTable"}
_TABLE_IN_INPUT = {"CreateTable", "UpdateTable"}


def glue_arns(request):
    """Catalog, database and table: IAM checks a call on a table against all three."""
    params, operation = request.params, request.operation
    catalog = arn(request, "glue", "catalog")
    database = params.get("DatabaseName")
    if database is None:
        database = params.get("Name") if "Database" in operation else None
        database = database or (params.get("DatabaseInput") or {}).get("Name")
        if database is None:
            return [catalog, arn(request, "glue", "database/*")] if operation == "GetDatabases" else [catalog]
        return [catalog, arn(request, "glue", f"database/{database.lower()}")]
    arns = [catalog, arn(request, "glue", f"database/{database.lower()}")]
    return arns + [arn(request, "glue", f"table/{database.lower()}/{table.lower()}") for table in _tables(params, operation)]


def _tables(params, operation):
    if operation in _TABLE_IN_NAME:
        return [params.get("Name", "")]
    if operation in _TABLE_IN_INPUT:
        return [(params.get("TableInput") or {}).get("Name", "")]
    if operation == "BatchDeleteTable":
        return params.get("TablesToDelete", [])
    return [params.get("TableName", "*")]


# --- DynamoDB and Athena


def _dynamodb(request):
    params, operation = request.params, request.operation
    if operation.startswith("Transact"):
        return _transaction(request)
    # A batch names its tables as keys of RequestItems.
    names = list(params.get("RequestItems", {})) or [params.get("TableName", "*")]
    arns = [_table_arn(request, name) for name in names]
    if params.get("IndexName"):
        arns = [f"{arns[0]}/index/{params['IndexName']}"]
    return [Call(request, f"dynamodb:{operation}", arns)]


def _transaction(request):
    """IAM has no TransactWriteItems: every item needs the permission of the same write alone."""
    names = {
        "Put": "PutItem",
        "Update": "UpdateItem",
        "Delete": "DeleteItem",
        "Get": "GetItem",
        "ConditionCheck": "ConditionCheckItem",
    }
    needed = {}
    for item in request.params.get("TransactItems", []):
        for kind, body in item.items():
            needed[(names.get(kind, kind), _table_arn(request, body.get("TableName", "*")))] = True
    return [Call(request, f"dynamodb:{action}", [table], transaction=True) for action, table in needed]


def _table_arn(request, name):
    return name if name.startswith("arn:") else arn(request, "dynamodb", f"table/{name}")


def _athena_arns(request, workgroup_of):
    params = request.params
    if "DataCatalog" in request.operation:
        return [arn(request, "athena", f"datacatalog/{params.get('Name', '*')}")]
    if request.operation in ("ListWorkGroups", "ListDataCatalogs"):
        return ["*"]
    workgroup = params.get("WorkGroup") or (params.get("Name") if "WorkGroup" in request.operation else None)
    if not workgroup and params.get("QueryExecutionId") and workgroup_of:
        workgroup = workgroup_of(params["QueryExecutionId"])
    return [arn(request, "athena", f"workgroup/{workgroup or 'primary'}")]


# --- the log


class Log:
    """Every call, in memory and, where a file is given, one line of JSON each."""

    def __init__(self, path=None):
        self._lines, self._lock = [], threading.Lock()
        self._file = open(path, "a", encoding="utf-8") if path else None

    def add(self, calls):
        lines = [call.line() for call in calls]
        with self._lock:
            self._lines.extend(lines)
            if self._file and lines:
                self._file.write("".join(json.dumps(line) + "\n" for line in lines))
                self._file.flush()

    def since(self, number):
        with self._lock:
            return self._lines[number:]


def role_of(arn_text):
    return unquote_plus(arn_text).rpartition("/")[2]
