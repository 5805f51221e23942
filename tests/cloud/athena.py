"""Athena's calls: queries that are started, polled, stopped and read in pages. What they do is in ddl.py and trino.py."""

import hashlib
import json
import threading
import time
import traceback
import uuid

from moto.athena.models import athena_backends
from moto.s3.models import s3_backends

import ddl
import trino
from answers import AwsError, ok
from calls import ACCOUNT, Call
from trino import QueryFailed, Result

MOST_ROWS = 1000  # GetQueryResults: MaxResults is 1 to 1000
FINAL = ("SUCCEEDED", "FAILED", "CANCELLED")


class Execution:
    """One query, from its start to its result."""

    def __init__(self, request, workgroup, output):
        params = request.params
        self.id = str(uuid.uuid4())
        self.request, self.workgroup, self.sql = request, workgroup, params["QueryString"]
        self.context = params.get("QueryExecutionContext") or {}
        self.parameters = params.get("ExecutionParameters")
        self.output = output.rstrip("/") + f"/{self.id}.{'txt' if ddl.is_ddl(self.sql) else 'csv'}"
        self.submitted, self.completed = time.time(), None
        self.state, self.reason, self.result = "RUNNING", None, Result([], [])
        self.polls, self.stopped, self.done = 0, False, threading.Event()

    @property
    def database(self):
        return (self.context.get("Database") or "default").lower()

    def shown(self, polls):
        """The state that a client sees: the first answers say QUEUED and RUNNING however quick the query was."""
        if self.stopped:
            return "CANCELLED"
        if self.polls > polls and self.state in FINAL:
            return self.state
        return "QUEUED" if self.polls <= 1 and polls > 1 else "RUNNING"

    def cancel(self):
        self.stopped, self.completed = True, time.time()

    def finish(self, state, reason=None):
        self.state, self.reason, self.completed = state, reason, self.completed or time.time()
        self.done.set()


class Athena:
    def __init__(self, double):
        self._double, self._lock = double, threading.Lock()
        self._executions, self._tokens = {}, {}
        # An account may run some queries at a time only; here it keeps the machine usable.
        self._slots = threading.Semaphore(4)

    def workgroup_of(self, execution_id):
        execution = self._executions.get(execution_id)
        return execution.workgroup if execution else None

    def answer(self, request):
        """The answer to a call that this knows, or None: moto's turn."""
        method = {
            "StartQueryExecution": self._start,
            "GetQueryExecution": self._get,
            "BatchGetQueryExecution": self._batch_get,
            "StopQueryExecution": self._stop,
            "GetQueryResults": self._results,
            "ListQueryExecutions": self._list,
            "GetWorkGroup": self._get_workgroup,
            "UpdateWorkGroup": self._update_workgroup,
        }.get(request.operation)
        return None if method is None else ok(method(request))

    # --- starting

    def _start(self, request):
        params = request.params
        workgroup = self._workgroup(request, params.get("WorkGroup") or "primary")
        # A token says that this is the same query again: the answer is then the same too.
        token = params.get("ClientRequestToken")
        meant = json.dumps(
            [params.get(name) for name in ("QueryString", "QueryExecutionContext", "ResultConfiguration", "WorkGroup")],
            sort_keys=True,
        )
        with self._lock:
            if token in self._tokens:
                known, before = self._tokens[token]
                if before != meant:
                    raise invalid("Idempotent parameters do not match")
                return {"QueryExecutionId": known}
            execution = Execution(request, workgroup.name, self._output(params, workgroup))
            self._executions[execution.id] = execution
            if token:
                self._tokens[token] = (execution.id, meant)
        cutoff = workgroup.configuration.get("BytesScannedCutoffPerQuery")
        threading.Thread(target=self._run, args=(execution, cutoff), daemon=True).start()
        return {"QueryExecutionId": execution.id}

    def _output(self, params, workgroup):
        """Where results go: a work group that enforces its settings overrides the request's."""
        own = (workgroup.configuration.get("ResultConfiguration") or {}).get("OutputLocation")
        asked = (params.get("ResultConfiguration") or {}).get("OutputLocation")
        output = own if workgroup.configuration.get("EnforceWorkGroupConfiguration") and own else asked or own
        if not output:
            raise invalid(
                "No output location provided. An output location is required either through the Workgroup result "
                "configuration setting or as an API input."
            )
        bucket = output.removeprefix("s3://").partition("/")[0]
        if not output.startswith("s3://") or bucket not in s3().buckets:
            raise invalid(f"Unable to verify/create output bucket {bucket}")
        return output

    def _run(self, execution, cutoff):
        """Carries a query out. Its end is its state; nothing of it is raised to anybody."""
        try:
            with self._slots:
                execution.result = self._carry_out(execution, cutoff)
                if not execution.stopped:
                    self._write(execution)
            execution.finish("SUCCEEDED")
        except trino.CutOff:
            execution.finish("CANCELLED", "Bytes scanned limit was exceeded")
        except QueryFailed as failure:
            execution.finish("FAILED", str(failure))
        except AwsError as failure:
            execution.finish(
                "FAILED", f"{failure.message} (Service: AWS; Status Code: {failure.status}; Error Code: {failure.code})"
            )
        except Exception as wrong:
            traceback.print_exc()
            execution.finish("FAILED", f"GENERIC_INTERNAL_ERROR: {wrong}")

    def _carry_out(self, execution, cutoff):
        session = Session(self._double, execution, cutoff)
        if ddl.is_ddl(execution.sql):
            with self._double.lock:
                return ddl.run(session, execution.sql)
        return trino.run(session, execution.sql, execution.parameters)

    def _write(self, execution):
        """The result as an object: CSV with a line of names for a SELECT, plain lines for the rest; and its metadata."""
        bucket, _, key = execution.output.removeprefix("s3://").partition("/")
        Session(self._double, execution).permit("s3:PutObject", [f"arn:aws:s3:::{bucket}/{key}"])
        with self._double.lock:
            s3().put_object(bucket, key, execution.result.as_file())
            # The real one is a binary description of the columns; that there is such an object is what matters here.
            s3().put_object(bucket, key + ".metadata", json.dumps(execution.result.columns).encode())

    # --- asking

    def _execution(self, request):
        execution = self._executions.get(request.params["QueryExecutionId"])
        if execution is None:
            raise invalid(f"QueryExecution {request.params['QueryExecutionId']} was not found")
        return execution

    def _shown(self, execution):
        return execution.shown(self._double.control.settings["athena_polls"])

    def _get(self, request):
        execution = self._execution(request)
        execution.polls += 1
        if execution.polls > self._double.control.settings["athena_polls"]:
            # A short query is done by then; a long one is seen RUNNING some more times.
            execution.done.wait(0.2)
        return {"QueryExecution": self._described(execution)}

    def _batch_get(self, request):
        found, missing = [], []
        for name in request.params["QueryExecutionIds"]:
            if name in self._executions:
                self._executions[name].polls += 1
                found.append(self._described(self._executions[name]))
            else:
                missing.append({"QueryExecutionId": name, "ErrorCode": "INVALID_QUERY_EXECUTION_ID", "ErrorMessage": "not found"})
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def _described(self, execution):
        state = self._shown(execution)
        status = {"State": state, "SubmissionDateTime": execution.submitted}
        statistics = {"QueryQueueTimeInMillis": 1}
        if state in FINAL:
            took = max(1, round(1000 * (execution.completed - execution.submitted)))
            status["CompletionDateTime"] = execution.completed
            statistics |= {
                "EngineExecutionTimeInMillis": took,
                "TotalExecutionTimeInMillis": took + 1,
                "DataScannedInBytes": execution.result.scanned,
            }
            if execution.reason and not execution.stopped:
                status["StateChangeReason"] = execution.reason
            if state == "FAILED":
                status["AthenaError"] = {
                    "ErrorCategory": 2,
                    "ErrorType": 1000,
                    "Retryable": False,
                    "ErrorMessage": execution.reason,
                }
        return {
            "QueryExecutionId": execution.id,
            "Query": execution.sql,
            "StatementType": ddl.kind(execution.sql),
            "ResultConfiguration": {"OutputLocation": execution.output},
            "QueryExecutionContext": execution.context,
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
            "Status": status,
            "Statistics": statistics,
            "WorkGroup": execution.workgroup,
            "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"},
        }

    def _stop(self, request):
        execution = self._execution(request)
        if self._shown(execution) not in FINAL:
            execution.cancel()
        return {}

    def _list(self, request):
        workgroup = self._workgroup(request, request.params.get("WorkGroup") or "primary").name
        found = [one for one in self._executions.values() if one.workgroup == workgroup]
        start = int(request.params.get("NextToken") or 0)
        end = start + (request.params.get("MaxResults") or 50)
        ids = [one.id for one in sorted(found, key=lambda one: -one.submitted)]
        return {"QueryExecutionIds": ids[start:end], **({"NextToken": str(end)} if ids[end:] else {})}

    def _results(self, request):
        """A page of rows. The names of a SELECT's columns are the first row of the first page, and count as one."""
        execution = self._execution(request)
        state = self._shown(execution)
        if state not in FINAL:
            raise invalid(f"Query has not yet finished. Current state: {state}")
        if state != "SUCCEEDED":
            raise invalid(f"Query did not finish successfully. Final query state: {state}")
        most = self._double.control.settings["athena_page"] or MOST_ROWS
        size = min(request.params.get("MaxResults") or MOST_ROWS, most)
        rows = execution.result.with_header()
        start = self._offset(execution, request.params.get("NextToken"))
        page = [
            {"Data": [{} if value is None else {"VarCharValue": value} for value in row]} for row in rows[start : start + size]
        ]
        answer = {
            "UpdateCount": 0,
            "ResultSet": {"Rows": page, "ResultSetMetadata": {"ColumnInfo": execution.result.column_info()}},
        }
        if rows[start + size :]:
            answer["NextToken"] = self._token(execution, start + size)
        return answer

    def _token(self, execution, offset):
        return f"{offset}.{hashlib.sha256(f'{execution.id}{offset}'.encode()).hexdigest()[:16]}"

    def _offset(self, execution, token):
        if not token:
            return 0
        offset = token.partition(".")[0]
        if not offset.isdigit() or token != self._token(execution, int(offset)):
            raise invalid("Invalid NextToken")
        return int(offset)

    # --- work groups

    def _workgroup(self, request, name):
        workgroup = athena_backends[ACCOUNT][request.region].work_groups.get(name)
        if workgroup is None:
            raise invalid(f"WorkGroup {name} is not found.")
        return workgroup

    def _get_workgroup(self, request):
        workgroup = self._workgroup(request, request.params["WorkGroup"])
        shown = {
            "Name": workgroup.name,
            "State": workgroup.state,
            "Configuration": workgroup.configuration,
            "CreationTime": time.time(),
        }
        return {"WorkGroup": shown | ({"Description": workgroup.description} if workgroup.description else {})}

    def _update_workgroup(self, request):
        workgroup = self._workgroup(request, request.params["WorkGroup"])
        updates = dict(request.params.get("ConfigurationUpdates") or {})
        if updates.pop("RemoveBytesScannedCutoffPerQuery", False):
            workgroup.configuration.pop("BytesScannedCutoffPerQuery", None)
        if "ResultConfigurationUpdates" in updates:
            output = updates.pop("ResultConfigurationUpdates").get("OutputLocation")
            workgroup.configuration["ResultConfiguration"] = {"OutputLocation": output} if output else {}
        workgroup.configuration.update(updates)
        return {}


class Session:
    """What a running query may ask of the double."""

    def __init__(self, double, execution, cutoff=None):
        self.double, self.request, self.database, self.cutoff = double, execution.request, execution.database, cutoff
        self._execution = execution

    @property
    def stopped(self):
        return self._execution.stopped

    def permit(self, action, resources):
        """Athena acts with the rights of its caller, so what a query touches is checked, and logged, as the caller's call."""
        call = Call(self.request, action, resources, via="athena")
        resource = self.double.control.refused(call)
        call.status = 200 if resource is None else 403
        self.double.log.add([call])
        if resource is not None:
            raise self.double.control.denied(self.request, call, resource)

    def permit_glue(self, action, database, table=None):
        names = ["catalog", f"database/{database}"] + ([f"table/{database}/{table}"] if table else [])
        self.permit(f"glue:{action}", [f"arn:aws:glue:{self.request.region}:{ACCOUNT}:{name}" for name in names])


def s3():
    return s3_backends[ACCOUNT]["aws"]


def invalid(message):
    return AwsError("InvalidRequestException", message, AthenaErrorCode="INVALID_INPUT")
