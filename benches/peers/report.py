"""What came out: counts and sums, sizes, and the bytes that the three queries have to read, from the Parquet footers."""

import glob
import os

import duckdb
import pyarrow.parquet

# The columns that each of the three queries reads.
QUERIES = {
    "bots": ["is_bot", "c_ip", "x_edge_location"],
    "bytes": ["distribution", "x_edge_location", "sc_bytes"],
    "viewers": ["c_ip"],
}


def files(lake):
    return sorted(glob.glob(os.path.join(lake, "**", "*.parquet"), recursive=True))


def sums(lake):
    """What must be the same whoever wrote it."""
    columns = "count(*), sum(sc_bytes), sum(cs_bytes), count(c_ip), count(DISTINCT c_ip), count(DISTINCT x_edge_request_id), " \
        "count(DISTINCT cs_user_agent), sum(sc_status), count(cs_referer), (min(event_time)::VARCHAR)[:19], (max(event_time)::VARCHAR)[:19]"
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection.execute(f"SELECT {columns} FROM read_parquet({files(lake)})").fetchall()[0]


def bots(lake):
    """The share of rows that are taken for bots: no two judge alike."""
    return duckdb.execute(f"SELECT count(*) FILTER (is_bot) / count(*) FROM read_parquet({files(lake)})").fetchone()[0]


def sizes(lake, columns):
    """Bytes of all files, bytes of these columns, and the bytes that each query reads."""
    whole, common, read = 0, 0, {name: 0 for name in QUERIES} | {"bots on is_bot": 0}
    for path in files(lake):
        whole += os.path.getsize(path)
        metadata = pyarrow.parquet.ParquetFile(path).metadata
        for group in (metadata.row_group(number) for number in range(metadata.num_row_groups)):
            chunks = {}
            for number in range(group.num_columns):
                chunk = group.column(number)
                name = chunk.path_in_schema.split(".")[0]
                chunks[name] = chunks.get(name, 0) + chunk.total_compressed_size
                if name == "is_bot":
                    statistics = chunk.statistics
            common += sum(size for name, size in chunks.items() if name in columns)
            for query, needed in QUERIES.items():
                read[query] += sum(chunks[name] for name in needed)
            # WHERE is_bot: a row group without any bot is not read.
            if statistics is None or not statistics.has_min_max or statistics.max:
                read["bots on is_bot"] += sum(chunks[name] for name in QUERIES["bots"])
    return whole, common, read


def columns(lake):
    return set(pyarrow.parquet.ParquetFile(files(lake)[0]).schema_arrow.names)
