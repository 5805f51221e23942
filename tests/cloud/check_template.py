"""Looks through the CloudFormation template: what a linter says, what must always be so, and whether each role may do exactly what
its program was seen doing.

    check_template.py TEMPLATE [CALLS.jsonl] [--parameter NAME=VALUE]... [--resource LOGICAL_ID=NAME]...

CALLS.jsonl has a line for every call that a program under test made:

    {"principal": "CONVERT", "action": "s3:ListBucket", "resources": ["arn:aws:s3:::logs"], "prefix": "cloudfront/", "status": 200}

--parameter gives the parameters that those calls were made under, --resource the names of what the stack would have made
(LakeBucket, Ledger, WorkGroup). Prints what it finds; the exit code is 1 where that is anything.
"""

import argparse
import collections
import json
import logging
import os
import pathlib
import re
import subprocess
import sys
import warnings

from cfnlint.decode import decode

ROOT = pathlib.Path(__file__).resolve().parents[2]

# CloudFormation takes no more in one call; beyond it a template needs a bucket of its own to be deployed from.
TEMPLATE_LIMIT_BYTES = 51_200

# Which policy each principal of the calls has.
PRINCIPALS = {"CONVERT": "ConvertRole", "INIT": "InitRole", "ANALYST": "AnalystPolicy"}

# Statements that may name any resource, and why.
ANY_RESOURCE = {
    ("ExecutionRole", "LogInToRegistry"): "ecr:GetAuthorizationToken knows no resource",
}

# Actions that a role has and that no test sees, and why. `ANY` stands for every principal.
UNSEEN = {
    ("ANY", "s3:AbortMultipartUpload"): "only when an upload in parts fails",
    ("ANY", "kms:Decrypt"): "S3 and Athena ask KMS in the caller's name; no server of the tests does",
    ("ANY", "kms:GenerateDataKey"): "as above",
    ("ANALYST", "athena:GetNamedQuery"): "the console shows saved queries; edgemill has them built in",
    ("ANALYST", "athena:ListNamedQueries"): "as above",
    ("ANALYST", "athena:GetWorkGroup"): "as above",
    ("ANALYST", "athena:StopQueryExecution"): "only when a query is given up",
    ("ANALYST", "s3:GetBucketLocation"): "Athena asks in the caller's name",
    ("ANALYST", "s3:ListBucket"): "as above",
    ("ANALYST", "s3:GetObject"): "as above",
    ("ANALYST", "s3:PutObject"): "as above",
    ("ANALYST", "s3:ListMultipartUploadParts"): "as above",
    ("ANALYST", "glue:BatchGetPartition"): "as above",
    ("ANALYST", "glue:GetDatabase"): "as above",
    ("ANALYST", "glue:GetPartition"): "as above",
    ("ANALYST", "glue:GetPartitions"): "as above",
    ("ANALYST", "glue:GetTable"): "as above",
    ("ANALYST", "glue:GetTables"): "as above",
}

# The memory in MiB that Fargate sells with so many CPUs.
FARGATE_MEMORY_MIB = {
    "1": range(2048, 8192 + 1, 1024),
    "2": range(4096, 16384 + 1, 1024),
    "4": range(8192, 30720 + 1, 1024),
    "8": range(16384, 61440 + 1, 4096),
    "16": range(32768, 122880 + 1, 8192),
}

KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
MINIMAL = {"LogBucket": "raw-logs", "ImageUri": "public.example/edgemill:1", "VpcId": "vpc-1", "SubnetIds": "subnet-1"}
FULL = MINIMAL | {
    "LogPrefix": "logs/cloudfront",
    "JobFile": "alb",
    "LogKmsKeyArn": KEY,
    "LakeKmsKeyArn": KEY,
    "AfterConversion": "move",
    "ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/edgemill@sha256:" + "0" * 64,
    "ImageRepositoryArn": "arn:aws:ecr:us-east-1:123456789012:repository/edgemill",
    "VCpus": "16",
    "MaxVCpus": "128",
    "AlarmEmail": "somebody@example.org",
    "AssignPublicIp": "DISABLED",
}
PARAMETER_SETS = {
    "minimal": MINIMAL,
    "full": FULL,
    "another account's logs": FULL | {"LogRoleArn": "arn:aws:iam::210987654321:role/reader", "AfterConversion": "keep"},
    "logs deleted": MINIMAL | {"LogPrefix": "a", "AfterConversion": "delete"},
}

NOTHING = object()
findings = []


def find(text):
    """Notes something that is wrong."""
    findings.append(text)
    print(f"  WRONG: {text}")


class Stack:
    """The template with its functions resolved, as far as a policy or a job definition needs them."""

    def __init__(self, template, parameters, names=(), account="123456789012", region="us-east-1"):
        self.template = template
        self.names = dict(names)
        self.values = {name: str(body.get("Default", "")) for name, body in template["Parameters"].items()}
        unknown = set(parameters) - set(self.values)
        if unknown:
            sys.exit(f"the template has no parameter {', '.join(sorted(unknown))}")
        self.values |= parameters
        for name, body in template["Parameters"].items():
            value = self.values[name]
            if "AllowedPattern" in body and not re.fullmatch(body["AllowedPattern"], value):
                find(f"parameter {name} does not take '{value}'")
            if "AllowedValues" in body and value not in [str(allowed) for allowed in body["AllowedValues"]]:
                find(f"parameter {name} does not take '{value}'")
        self.pseudo = {
            "AWS::AccountId": account,
            "AWS::Region": region,
            "AWS::Partition": "aws",
            "AWS::StackName": "edgemill",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NoValue": NOTHING,
        }

    def name(self, logical_id):
        """The physical name."""
        return self.names.get(logical_id, f"edgemill-{logical_id.lower()}")

    def arn(self, logical_id):
        """As AWS would make it of the physical name."""
        kind = self.template["Resources"][logical_id]["Type"]
        name, place = self.name(logical_id), f"{self.pseudo['AWS::Region']}:{self.pseudo['AWS::AccountId']}"
        return {
            "AWS::S3::Bucket": f"arn:aws:s3:::{name}",
            "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{place}:table/{name}",
            "AWS::SQS::Queue": f"arn:aws:sqs:{place}:{name}",
            "AWS::SNS::Topic": f"arn:aws:sns:{place}:{name}",
            "AWS::Logs::LogGroup": f"arn:aws:logs:{place}:log-group:{name}:*",
            "AWS::Batch::JobQueue": f"arn:aws:batch:{place}:job-queue/{name}",
            "AWS::Batch::ComputeEnvironment": f"arn:aws:batch:{place}:compute-environment/{name}",
            "AWS::Batch::JobDefinition": f"arn:aws:batch:{place}:job-definition/{name}:1",
            "AWS::Events::Rule": f"arn:aws:events:{place}:rule/{name}",
            "AWS::IAM::Role": f"arn:aws:iam::{self.pseudo['AWS::AccountId']}:role/{name}",
            "AWS::IAM::ManagedPolicy": f"arn:aws:iam::{self.pseudo['AWS::AccountId']}:policy/{name}",
        }[kind]

    def ref(self, name):
        """What `Ref` gives."""
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.values:
            listed = self.template["Parameters"][name]["Type"].startswith("List<")
            return self.values[name].split(",") if listed else self.values[name]
        resource = self.template["Resources"][name]
        if resource["Type"] in ("AWS::SNS::Topic", "AWS::IAM::ManagedPolicy") or resource["Type"].startswith("AWS::Batch::"):
            return self.arn(name)
        if resource["Type"] == "AWS::Glue::Database":
            return self.resolve(resource["Properties"]["DatabaseInput"]["Name"])
        if resource["Type"] == "AWS::Athena::WorkGroup" and name not in self.names:
            return self.resolve(resource["Properties"]["Name"])
        return self.name(name)

    def attribute(self, path):
        """What `Fn::GetAtt` gives."""
        logical_id, attribute = path.split(".", 1) if isinstance(path, str) else path
        return self.arn(logical_id) if attribute == "Arn" else self.name(logical_id)

    def condition(self, node):
        """Whether it holds."""
        if isinstance(node, str):
            return self.condition(self.template["Conditions"][node])
        ((function, argument),) = node.items()
        if function == "Condition":
            return self.condition(argument)
        if function == "Fn::Equals":
            left, right = (self.resolve(side) for side in argument)
            return left == right
        if function == "Fn::Not":
            return not self.condition(argument[0])
        if function == "Fn::And":
            return all(self.condition(part) for part in argument)
        if function == "Fn::Or":
            return any(self.condition(part) for part in argument)
        raise ValueError(f"condition {function} is not known here")

    def substitute(self, argument):
        """What `Fn::Sub` gives."""
        text, own = (argument, {}) if isinstance(argument, str) else argument

        def one(match):
            name = match.group(1)
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in own:
                return str(self.resolve(own[name]))
            return str(self.attribute(name) if "." in name else self.ref(name))

        return re.sub(r"\$\{([^}]+)\}", one, text)

    def resolve(self, node):
        """The node with every function in it replaced by what it gives."""
        if isinstance(node, list):
            return [value for value in (self.resolve(part) for part in node) if value is not NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((function, argument),) = node.items()
            if function == "Ref":
                return self.ref(argument)
            if function == "Fn::Sub":
                return self.substitute(argument)
            if function == "Fn::GetAtt":
                return self.attribute(argument)
            if function == "Fn::If":
                return self.resolve(argument[1] if self.condition(argument[0]) else argument[2])
            if function == "Fn::Join":
                return argument[0].join(str(part) for part in self.resolve(argument[1]))
            if function == "Fn::FindInMap":
                first, second, third = (self.resolve(part) for part in argument)
                return self.template["Mappings"][first][second][third]
            if function.startswith("Fn::"):
                raise ValueError(f"{function} is not known here")
        resolved = {key: self.resolve(value) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value is not NOTHING}

    def resources(self, kind):
        """Those of this type that are made, by logical id, with their properties resolved."""
        return {
            name: self.resolve(body.get("Properties", {}))
            for name, body in self.template["Resources"].items()
            if body["Type"] == kind and ("Condition" not in body or self.condition(body["Condition"]))
        }

    def statements(self):
        """Every statement about what a principal may do, as (logical id, statement)."""
        for name, properties in self.resources("AWS::IAM::Role").items():
            for policy in properties.get("Policies", []):
                yield from ((name, statement) for statement in policy["PolicyDocument"]["Statement"])
        for name, properties in self.resources("AWS::IAM::ManagedPolicy").items():
            yield from ((name, statement) for statement in properties["PolicyDocument"]["Statement"])


def listed(value):
    """IAM lets a list of one be written without the list."""
    return value if isinstance(value, list) else [value]


def lint(path):
    """What cfn-lint says, warnings and hints included."""
    # The command beside this Python.
    command = [str(pathlib.Path(sys.executable).parent / "cfn-lint"), "--include-checks", "I", "--", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        find(f"cfn-lint, exit code {done.returncode}:\n{done.stdout}{done.stderr}")


def check_policies(stack, label):
    """Least privilege, as far as it can be seen from the outside."""
    for name, statement in stack.statements():
        sid = statement.get("Sid")
        where = f"{label}: {name}, statement {sid}"
        if not sid:
            find(f"{where}: a statement needs a Sid that says what for")
        if statement["Effect"] != "Allow" or {"NotAction", "NotResource"} & set(statement):
            find(f"{where}: only Allow, Action and Resource can be judged here")
            continue
        for action in listed(statement["Action"]):
            if not re.fullmatch(r"[a-z0-9-]+:[A-Za-z]+", action):
                find(f"{where}: action '{action}' is not one action")
        for resource in listed(statement["Resource"]):
            if resource == "*":
                if (name, sid) not in ANY_RESOURCE:
                    find(f"{where}: any resource, without a reason in ANY_RESOURCE")
            # A star elsewhere than at the end takes in what was not thought of.
            elif not resource.startswith("arn:") or "*" in resource.removesuffix("/*").removesuffix(":*") or "?" in resource:
                find(f"{where}: resource '{resource}' is wider than it looks")
    for name, properties in stack.resources("AWS::IAM::Role").items():
        if properties.get("ManagedPolicyArns"):
            find(f"{label}: {name} has a policy that others write")


def check_lake(stack, label):
    """Nothing deletes rows, and nobody reads them who should not."""
    template, bucket = stack.template["Resources"], stack.resources("AWS::S3::Bucket")["LakeBucket"]
    for name in ("LakeBucket", "Ledger"):
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if template[name].get(policy) != "Retain":
                find(f"{label}: {name} has no {policy}: Retain")
    ledger = stack.resources("AWS::DynamoDB::Table")["Ledger"]
    if not (ledger.get("DeletionProtectionEnabled") and ledger["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]):
        find(f"{label}: the ledger can be deleted, or cannot be restored")
    if [(key["AttributeName"], key["KeyType"]) for key in ledger["KeySchema"]] != [("folder", "HASH"), ("name", "RANGE")]:
        find(f"{label}: the ledger has other keys than the program uses")
    if ledger["BillingMode"] != "PAY_PER_REQUEST":
        find(f"{label}: the ledger costs money while nothing runs")

    lake_prefix = stack.values["LakePrefix"]
    least_days = {f"{lake_prefix}/staging/": 30, "athena-results/": 1}
    for rule in bucket["LifecycleConfiguration"]["Rules"]:
        known = {"Id", "Status", "Prefix", "ExpirationInDays", "AbortIncompleteMultipartUpload"}
        if set(rule) - known:
            find(f"{label}: lifecycle rule {rule['Id']} does what this test does not know: {sorted(set(rule) - known)}")
        if "ExpirationInDays" in rule and rule["ExpirationInDays"] < least_days.get(rule.get("Prefix"), 10**9):
            below, days = rule.get("Prefix", ""), rule["ExpirationInDays"]
            find(f"{label}: lifecycle rule {rule['Id']} deletes below '{below}' after {days} days")

    if not all(bucket["PublicAccessBlockConfiguration"].get(what) for what in
               ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")):
        find(f"{label}: the lake could be made public")
    default = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]
    key = stack.values["LakeKmsKeyArn"]
    wanted = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key} if key else {"SSEAlgorithm": "AES256"}
    if default != wanted:
        find(f"{label}: the lake is encrypted by {default}, not by {wanted}")
    (policy,) = stack.resources("AWS::S3::BucketPolicy").values()
    wanted = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [stack.arn("LakeBucket"), stack.arn("LakeBucket") + "/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    if not any(wanted.items() <= statement.items() for statement in policy["PolicyDocument"]["Statement"]):
        find(f"{label}: the lake can be read without TLS")


def known_variables():
    """Environment variables that the program's source names, and those of its options."""
    named = {
        name
        for path in sorted((ROOT / "src").rglob("*.rs"))
        for name in re.findall(r'"(EDGEMILL_[A-Z_]+)"', path.read_text(encoding="utf-8"))
    }
    options = (ROOT / "docs/options.md").read_text(encoding="utf-8")
    flags = re.findall(r"^\| `--([a-z-]+)`", options, re.MULTILINE)
    return named | {"EDGEMILL_" + flag.replace("-", "_").upper() for flag in flags}


def mib(text):
    """'3GiB' and '1536MiB' as a number of MiB."""
    number, unit = re.fullmatch(r"(\d+)(MiB|GiB)", text).groups()
    return int(number) * {"MiB": 1, "GiB": 1024}[unit]


def check_jobs(stack, label):
    """What Fargate takes, what is retried, and what the program is told."""
    known = known_variables()
    for name, job in stack.resources("AWS::Batch::JobDefinition").items():
        container = job["ContainerProperties"]
        for attempt in ("2", "3"):
            fits = [
                rule["Action"] for rule in job["RetryStrategy"]["EvaluateOnExit"]
                if "OnExitCode" in rule and matches(rule["OnExitCode"], attempt)
            ]
            if fits[:1] != ["EXIT"]:
                find(f"{label}: {name} is retried after exit code {attempt}")
        for attempt in ("1", "137", "143"):
            fits = [
                rule["Action"] for rule in job["RetryStrategy"]["EvaluateOnExit"]
                if "OnExitCode" in rule and matches(rule["OnExitCode"], attempt)
            ]
            if fits[:1] not in ([], ["RETRY"]):
                find(f"{label}: {name} is not retried after exit code {attempt}")
        if job["PlatformCapabilities"] != ["FARGATE"] or "AttemptDurationSeconds" not in job.get("Timeout", {}):
            find(f"{label}: {name} must say that it is for Fargate, and when it is stuck")
        if not container.get("ReadonlyRootFilesystem") or container.get("User", "root").split(":")[0] in ("root", "0"):
            find(f"{label}: {name} runs as root, or can write into its image")
        needs = {need["Type"]: need["Value"] for need in container["ResourceRequirements"]}
        if int(needs["MEMORY"]) not in FARGATE_MEMORY_MIB[needs["VCPU"]]:
            find(f"{label}: {name}: Fargate has no {needs['MEMORY']} MiB with {needs['VCPU']} CPUs")
        variables = [variable["Name"] for variable in container["Environment"]]
        for variable in variables:
            if variable.startswith("EDGEMILL_") and variable not in known:
                find(f"{label}: {name} sets {variable}, which the program does not know")
            if variable.startswith("AWS_BATCH"):
                find(f"{label}: {name} sets {variable}; Batch keeps those names to itself")
        for variable, times in collections.Counter(variables).items():
            if times > 1:
                find(f"{label}: {name} sets {variable} twice")
        environment = {variable["Name"]: variable["Value"] for variable in container["Environment"]}
        if any(not isinstance(value, str) or not value for value in environment.values()):
            find(f"{label}: {name} sets a variable to nothing")
        if "EDGEMILL_MEMORY" in environment and mib(environment["EDGEMILL_MEMORY"]) > int(needs["MEMORY"]) * 3 // 4:
            find(f"{label}: {name} leaves the program's own code too little memory")
        if container["Command"] in (["convert"], ["init"]):
            # Both: what the hourly run says of people must have reached the lake, or the run is refused.
            job_file = environment.get("EDGEMILL_JOB", "nothing").rsplit("/", 1)[-1]
            if not (ROOT / "jobs" / job_file).is_file():
                find(f"{label}: {name} takes jobs/{job_file}, which is not there")


def check_queries(stack, label):
    """The saved queries are those of ddl/queries."""
    saved = {query["Name"]: query["QueryString"] for query in stack.resources("AWS::Athena::NamedQuery").values()}
    written = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "ddl/queries").glob("*.sql")}
    for name in ("bots", "bytes", "viewers"):
        for each in (name, f"access_{name}"):
            if each not in saved:
                find(f"{label}: the query {each} is not saved")
    for name, text in saved.items():
        if text != written.get(name):
            find(f"{label}: the saved query {name} differs from ddl/queries/{name}.sql")


def event_fits(pattern, event):
    """Whether EventBridge would take an event for this pattern (of exact values, exists and anything-but)."""
    for key, wanted in pattern.items():
        have = event.get(key, NOTHING) if isinstance(event, dict) else NOTHING
        if isinstance(wanted, dict):
            if not event_fits(wanted, {} if have is NOTHING else have):
                return False
            continue

        def one(choice, have=have):
            if not isinstance(choice, dict):
                return have == choice
            ((operator, argument),) = choice.items()
            if operator == "exists":
                return argument == (have is not NOTHING)
            if operator == "anything-but":
                return have is not NOTHING and have not in listed(argument)
            raise ValueError(f"operator {operator} is not known here")

        if not any(one(choice) for choice in wanted):
            return False
    return True


def check_alarms(stack, label):
    """Each kind of trouble is told of once, and each alarm reaches the topic."""
    rules = stack.resources("AWS::Events::Rule")

    def told(status="FAILED", queue="SpotQueue", **detail):
        detail |= {"status": status, "jobQueue": stack.arn(queue) if queue else "arn:aws:batch:::job-queue/other"}
        event = {"source": "aws.batch", "detail-type": "Batch Job State Change", "detail": detail}
        return [name for name, rule in rules.items() if event_fits(rule["EventPattern"], event)]

    wanted = {
        "failed": (told(container={"exitCode": 1}), ["FailedRule"]),
        "failed, on demand": (told(queue="OnDemandQueue", container={"exitCode": 1}), ["FailedRule"]),
        "wrong usage": (told(container={"exitCode": 2}), ["FailedRule"]),
        "interrupted or never started": (told(container={}), ["FailedRule"]),
        "without a container": (told(), ["FailedRule"]),
        "done, with damage": (told(container={"exitCode": 3}), ["DamagedRule"]),
        "a child of an array": (told(container={"exitCode": 1}, arrayProperties={"index": 4}), ["FailedRule"]),
        "a damaged child": (told(container={"exitCode": 3}, arrayProperties={"index": 4}), ["DamagedRule"]),
        "the parent of an array": (told(arrayProperties={"size": 9, "statusSummary": {"FAILED": 1}}), []),
        "done": (told(status="SUCCEEDED", container={"exitCode": 0}), []),
        "to be retried": (told(status="RUNNABLE", container={"exitCode": 1}), []),
        "somebody else's job": (told(queue=None, container={"exitCode": 1}), []),
    }
    for what, (is_told, should) in wanted.items():
        if is_told != should:
            find(f"{label}: a job that is '{what}' is told of by {is_told or 'nobody'}, not by {should or 'nobody'}")

    topic = stack.arn("Alarms")
    for name, rule in rules.items():
        if [target["Arn"] for target in rule["Targets"]] != [topic]:
            find(f"{label}: {name} does not reach the topic")
    (policy,) = stack.resources("AWS::SNS::TopicPolicy").values()
    publishers = {statement["Principal"]["Service"]: statement for statement in policy["PolicyDocument"]["Statement"]}
    limited = all(statement.get("Condition") for statement in publishers.values())
    if set(publishers) != {"events.amazonaws.com", "cloudwatch.amazonaws.com"} or not limited:
        find(f"{label}: the topic must take messages of EventBridge and CloudWatch, of this account only")
    elif publishers["events.amazonaws.com"]["Condition"]["ArnEquals"]["aws:SourceArn"] != [stack.arn(name) for name in rules]:
        find(f"{label}: the topic does not take messages of every rule")

    lake = f"s3://{stack.ref('LakeBucket')}/{stack.values['LakePrefix']}"
    alarms = stack.resources("AWS::CloudWatch::Alarm")
    for name, alarm in alarms.items():
        if alarm["AlarmActions"] != [topic]:
            find(f"{label}: the alarm for {name} does not reach the topic")
        if alarm["Namespace"] == "Edgemill" and alarm["Dimensions"] != [{"Name": "Lake", "Value": lake}]:
            find(f"{label}: the alarm for {name} watches {alarm['Dimensions']}")
        if alarm["Period"] * alarm["EvaluationPeriods"] > 7 * 86_400:
            find(f"{label}: CloudWatch has no alarm over so long a time as that for {name}")
    metrics = {alarm["MetricName"] for alarm in alarms.values()}
    if metrics != {"FreshnessSeconds", "RejectedRatio", "ApproximateNumberOfMessagesVisible"}:
        find(f"{label}: alarms for {sorted(metrics)}")
    known = (pathlib.Path(__file__).resolve().parents[2] / "src" / "metrics.rs").read_text(encoding="utf-8")
    for alarm in alarms.values():
        if alarm["Namespace"] == "Edgemill" and f'"{alarm["MetricName"]}"' not in known:
            find(f"{label}: the program has no metric {alarm['MetricName']}")
    if alarms["SilenceAlarm"]["TreatMissingData"] != "breaching" or alarms["SilenceAlarm"]["Statistic"] != "SampleCount":
        find(f"{label}: nobody is told when nothing runs at all")


def check_schedules(stack, label):
    """What is submitted exists, may be submitted, and is not lost where it could not be."""
    (submit,) = [s for name, s in stack.statements() if name == "ScheduleRole" and s["Sid"] == "Submit"]
    allowed = submit["Resource"]
    for name, schedule in stack.resources("AWS::Scheduler::Schedule").items():
        target = schedule["Target"]
        submitted = json.loads(target["Input"])
        for part in ("JobQueue", "JobDefinition"):
            if submitted[part] not in allowed:
                find(f"{label}: {name} may not submit to {submitted[part]}")
        if set(submitted) != {"JobName", "JobQueue", "JobDefinition"} or not target["Arn"].endswith(":aws-sdk:batch:submitJob"):
            find(f"{label}: {name} calls {target['Arn']} with {submitted}")
        if target["DeadLetterConfig"]["Arn"] != stack.arn("DeadLetters"):
            find(f"{label}: {name} loses what could not be submitted")
    workgroup = stack.resources("AWS::Athena::WorkGroup")["WorkGroup"]["WorkGroupConfiguration"]
    if not workgroup["EnforceWorkGroupConfiguration"] or not workgroup.get("BytesScannedCutoffPerQuery"):
        find(f"{label}: a query may scan without a limit")


def matches(pattern, text):
    """Whether an IAM or Batch pattern, in which * and ? are the only signs, fits the whole text."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text, re.DOTALL) is not None


def condition_holds(condition, call):
    """Whether a statement's condition holds for a call; of its keys only the prefix of a listing is known."""
    have = {"s3:prefix": call.get("prefix")}
    for operator, keys in condition.items():
        base = operator.removesuffix("IfExists")
        if base not in ("StringLike", "StringEquals"):
            raise ValueError(f"operator {operator} is not known here")
        for key, patterns in keys.items():
            if key not in have:
                raise ValueError(f"condition on {key} is not known here")
            if have[key] is None:
                if base == operator:
                    return False
                continue
            fits = (lambda p, t: p == t) if base == "StringEquals" else matches
            if not any(fits(pattern, have[key]) for pattern in listed(patterns)):
                return False
    return True


def allows(statements, call, resource):
    """Whether any statement allows the call on this resource."""
    return any(
        any(action.lower() == call["action"].lower() for action in listed(statement["Action"]))
        and any(matches(pattern, resource) for pattern in listed(statement["Resource"]))
        and condition_holds(statement.get("Condition", {}), call)
        for statement in statements
    )


def check_calls(stack, path):
    """What was called is allowed, and what is allowed was called."""
    calls = collections.defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            call = json.loads(line)
            calls[call["principal"]].append(call)
    for principal, made in sorted(calls.items()):
        if principal not in PRINCIPALS:
            print(f"  {principal}: {len(made)} calls; no role of the template, not judged")
    for principal, name in PRINCIPALS.items():
        made = calls.get(principal)
        if not made:
            print(f"  {principal}: no calls, not judged")
            continue
        statements = [statement for of, statement in stack.statements() if of == name]
        missing = collections.Counter(
            (call["action"], resource, call.get("prefix"))
            for call in made
            for resource in listed(call["resources"])
            if not allows(statements, call, resource)
        )
        for (action, resource, prefix), times in sorted(missing.items(), key=str):
            below = "" if prefix is None else f", prefix '{prefix}'"
            find(f"{principal}: {name} may not {action} on {resource}{below} ({times} calls)")
        # Statement by statement: to read logs is not to read the lake.
        for statement in statements:
            for action in listed(statement["Action"]):
                one = statement | {"Action": action}
                if ("ANY", action) in UNSEEN or (principal, action) in UNSEEN:
                    continue
                if not any(allows([one], call, resource) for call in made for resource in listed(call["resources"])):
                    find(f"{principal}: {name}, {statement['Sid']}: {action} was never called; take it away, or say why in UNSEEN")
        seen = {call["action"].lower() for call in made}
        print(f"  {principal}: {len(made)} calls of {len(seen)} actions")


def for_moto(stack):
    """The template as moto can take it."""

    def chosen(node):
        # moto leaves a hole in a list where CloudFormation leaves nothing, so every choice is made before.
        if isinstance(node, list):
            return [value for value in map(chosen, node) if value != {"Ref": "AWS::NoValue"}]
        if not isinstance(node, dict):
            return node
        if set(node) == {"Fn::If"}:
            condition, yes, no = node["Fn::If"]
            return chosen(yes if stack.condition(condition) else no)
        return {key: chosen(value) for key, value in node.items()}

    copy = dict(stack.template) | {"Resources": chosen(stack.template["Resources"])}
    # Batch takes its service-linked role where none is named; moto wants one.
    for resource in copy["Resources"].values():
        if resource["Type"] == "AWS::Batch::ComputeEnvironment":
            resource["Properties"]["ServiceRole"] = {"Fn::GetAtt": ["ExecutionRole", "Arn"]}
    return json.dumps(copy)


def check_moto(template, parameters, label):
    """That a stack comes of it, as far as moto knows CloudFormation. Gives the types that it does not know."""
    # Before the SDK looks for them; they are nobody's.
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        os.environ[variable] = "testing"
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    import boto3  # noqa: PLC0415 (here, when the variables are set)
    from moto import mock_aws  # noqa: PLC0415

    text = for_moto(Stack(template, parameters))
    with mock_aws(), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        logging.getLogger("moto").setLevel(logging.CRITICAL)
        session = boto3.Session(region_name="us-east-1")
        ec2 = session.client("ec2")
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]]
        parameters = parameters | {"VpcId": vpc, "SubnetIds": ",".join(subnets)}
        formation = session.client("cloudformation")
        formation.create_stack(
            StackName="edgemill",
            TemplateBody=text,
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        (stack,) = formation.describe_stacks(StackName="edgemill")["Stacks"]
        if stack["StackStatus"] != "CREATE_COMPLETE":
            find(f"{label}: moto's stack is {stack['StackStatus']}: {stack.get('StackStatusReason')}")
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        session.client("s3").head_bucket(Bucket=outputs["LakeBucketName"])
        table = session.client("dynamodb").describe_table(TableName=outputs["LedgerTable"])["Table"]
        if [key["AttributeName"] for key in table["KeySchema"]] != ["folder", "name"]:
            find(f"{label}: moto's ledger has the keys {table['KeySchema']}")
    return {match.group(1) for w in warned if (match := re.match(r"Tried to parse (\S+) but it's not supp", str(w.message)))}


def check_scripts(template, root):
    """What the deployment and the backfill say to AWS fits the template."""

    def said(*command):
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout

    every = ["--email", "me@example.com", "--vcpus", "4", "--after", "move", "--kms", "arn:aws:kms:us-east-1:123456789012:key/1"]
    for more in ([], every):
        deployed = said("scripts/deploy", "--logs", "s3://some-logs/cloudfront", "--dry-run", *more)
        names = set(re.findall(r" ([A-Z][A-Za-z]+)=", deployed.split("--parameter-overrides")[1].split("\n")[0]))
        if unknown := names - set(template["Parameters"]):
            find(f"scripts/deploy gives the template what it does not take: {unknown}")
        wanted = {name for name, parameter in template["Parameters"].items() if "Default" not in parameter}
        if missing := wanted - names:
            find(f"scripts/deploy does not give the template {missing}")
    submitted = said("scripts/backfill", "2026-01-01", "2026-01-15", "--dry-run")
    if "size=14" not in submitted or '"2026-01-01T00..2026-01-15T00"' not in submitted or "EDGEMILL_SHARDS" not in submitted:
        find(f"scripts/backfill submits {submitted}")
    outputs = set(re.findall(r"OutputKey=='?\W*'?\W*([A-Z][A-Za-z]+)", deployed + submitted))
    if unknown := outputs - set(template["Outputs"]):
        find(f"the scripts ask for outputs that the template has not: {unknown}")


def main():
    """Looks through the template, says what is wrong."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("template", type=pathlib.Path)
    arguments.add_argument("calls", type=pathlib.Path, nargs="?")
    arguments.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    arguments.add_argument("--resource", action="append", default=[], metavar="LOGICAL_ID=NAME")
    arguments.add_argument("--account", default="123456789012", help="account in the resources of the calls")
    arguments.add_argument("--region", default="us-east-1", help="region in the resources of the calls")
    given = arguments.parse_args()
    pairs = {what: dict(pair.split("=", 1) for pair in getattr(given, what)) for what in ("parameter", "resource")}

    # moto answers in this process, not the server that other tests talk to.
    for name in [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL")]:
        del os.environ[name]

    print("lint")
    lint(given.template)
    text = given.template.read_text(encoding="utf-8")
    template, problems = decode(str(given.template))
    if problems:
        sys.exit(f"{given.template} cannot be read: {problems}")
    if len(text.encode()) > TEMPLATE_LIMIT_BYTES:
        find(f"the template has {len(text.encode())} bytes, and CloudFormation takes {TEMPLATE_LIMIT_BYTES}")

    for label, parameters in PARAMETER_SETS.items():
        print(f"what must be so: {label}")
        stack = Stack(template, parameters)
        for check in (check_policies, check_lake, check_jobs, check_queries, check_alarms, check_schedules):
            check(stack, label)
    for cpus, size in template["Mappings"]["Size"].items():
        if int(size["Memory"]) not in FARGATE_MEMORY_MIB[cpus] or mib(size["Budget"]) * 4 != int(size["Memory"]) * 3:
            find(f"Fargate has no {size['Memory']} MiB with {cpus} CPUs, or the program's share is not three quarters")

    unknown = set()
    for label, parameters in PARAMETER_SETS.items():
        print(f"a stack of moto: {label}")
        unknown |= check_moto(template, parameters, label)
    print(f"  not known to moto, and not made: {', '.join(sorted(unknown)) or 'nothing'}")

    print("the scripts")
    check_scripts(template, given.template.resolve().parents[1])

    if given.calls:
        print("calls")
        names = pairs["resource"]
        unknown = set(names) - set(template["Resources"])
        if unknown:
            sys.exit(f"the template has no resource {', '.join(sorted(unknown))}")
        check_calls(Stack(template, MINIMAL | pairs["parameter"], names, given.account, given.region), given.calls)

    print(f"{len(findings)} wrong" if findings else "all as it should be")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
