"""PySpark: CloudFront logs to partitioned Parquet. with_spark.py LOGS OUT THREADS"""

import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as f
from pyspark.sql.types import DoubleType, LongType, StringType, StructField, StructType

from common import BOTS, BROWSERS, DOUBLES, FIELDS, INTEGERS, SYSTEMS

logs, out, threads = sys.argv[1:4]
spark = (
    SparkSession.builder.master(f"local[{threads}]")
    .config("spark.driver.memory", "4g")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.parquet.compression.codec", "zstd")
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")


def kind(name):
    return LongType() if name in INTEGERS else DoubleType() if name in DOUBLES else StringType()


def first_match(rules):
    case = None
    for name, pattern in rules:
        fits = f.col("user_agent").rlike(pattern)
        case = f.when(fits, name) if case is None else case.when(fits, name)
    return case


schema = StructType([StructField(name, kind(name)) for name in FIELDS])
rows = spark.read.csv(logs, schema=schema, sep="\t", comment="#", nullValue="-", quote="")
bots = f.lit(False)
for pattern in BOTS:
    bots = bots | f.col("user_agent").rlike(pattern)
(
    rows.withColumn("filename", f.input_file_name())
    .withColumn("user_agent", f.expr("url_decode(replace(cs_user_agent, '+', '%2B'))"))
    .withColumn("event_time", f.to_timestamp(f.concat_ws(" ", "date", "time")))
    .withColumn("distribution", f.regexp_extract("filename", r"([^/.]+)\.[^/]*$", 1))
    .withColumn("browser_family", first_match(BROWSERS))
    .withColumn("os_family", first_match(SYSTEMS))
    .withColumn("is_bot", bots)
    .withColumn("year", f.substring("date", 1, 4))
    .withColumn("month", f.substring("date", 6, 2))
    .withColumn("day", f.substring("date", 9, 2))
    .withColumn("hour", f.substring("time", 1, 2))
    .drop("date", "time")
    # Without it every task holds a file of every hour that it meets open.
    .repartition("year", "month", "day", "hour")
    .write.partitionBy("year", "month", "day", "hour")
    .parquet(out)
)
# The virtual machine is a child that pyspark does not wait for, and only what was waited for is in the account of CPU and memory.
gateway = spark.sparkContext._gateway
spark.stop()
gateway.shutdown()
gateway.proc.stdin.close()
gateway.proc.wait()
