"""Runs edgemill and its peers in turn on the same logs, checks that they agree, and prints what each needed.

run.py --edgemill PROGRAM --data DIR [--rows N] [--pairs N] [--threads N] [--spark PYTHON] [--peers duckdb,polars]
"""

import argparse
import collections
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

import report
from common import objects

HERE = os.path.dirname(os.path.abspath(__file__))
Run = collections.namedtuple("Run", "cpu_s wall_s peak_mib")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--edgemill", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--rows", type=int, default=4_200_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peers", default="duckdb,polars")
    parser.add_argument("--spark", help="a python that has pyspark")
    return parser.parse_args()


def say(text):
    print(text, file=sys.stderr, flush=True)


def make_small(program, folder, rows):
    if not os.path.exists(folder):
        say(f"making {rows:,} rows in small objects")
        subprocess.run([program, "generate", "--out", folder, "--rows", str(rows), "--seed", "7"], check=True, stdout=subprocess.DEVNULL)


def make_large(small, large):
    """The same rows with a single header each, in one object per distribution and hour."""
    if os.path.exists(large):
        return
    say("putting the same rows into large objects")
    grouped = collections.defaultdict(list)
    for path in objects(small):
        distribution, hour = os.path.basename(path).split(".")[:2]
        grouped[distribution, hour].append(path)
    os.makedirs(large + ".new")
    for (distribution, hour), paths in grouped.items():
        with gzip.open(f"{large}.new/{distribution}.{hour}.00000000.gz", "wb", compresslevel=6) as out:
            for number, path in enumerate(paths):
                with gzip.open(path) as rows:
                    header = rows.readline() + rows.readline()
                    if number == 0:
                        out.write(header)
                    shutil.copyfileobj(rows, out)
    os.rename(large + ".new", large)


def raw_bytes(folder):
    """Bytes of text, from the last four bytes of each gzip member (each object is one, below 4 GiB)."""
    total = 0
    for path in objects(folder):
        with open(path, "rb") as file:
            file.seek(-4, os.SEEK_END)
            total += int.from_bytes(file.read(), "little")
    return total


def measured(command, out):
    shutil.rmtree(out, ignore_errors=True)
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=HERE)
    complaint = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command} failed:\n{complaint.decode(errors='replace')}")
    return Run(usage.ru_utime + usage.ru_stime, time.monotonic() - begun, usage.ru_maxrss / 1024)


def median(runs):
    return Run(*(statistics.median(values) for values in zip(*runs)))


def main():
    options = arguments()
    small, large = os.path.join(options.data, "small"), os.path.join(options.data, "large")
    os.makedirs(options.data, exist_ok=True)
    make_small(options.edgemill, small, options.rows)
    make_large(small, large)
    threads = str(options.threads)
    peers = {name: [sys.executable, f"with_{name}.py"] for name in options.peers.split(",") if name}
    if options.spark:
        peers["spark"] = [options.spark, "with_spark.py"]
    result = {"threads": options.threads, "pairs": options.pairs, "inputs": {}}
    for kind, logs in (("small", small), ("large", large)):
        lake = {name: os.path.join(options.data, f"lake-{name}") for name in ["edgemill", *peers]}
        ours = [options.edgemill, "convert", "--from", logs, "--to", lake["edgemill"], "--threads", threads]
        runs = {name: [] for name in lake}
        ratios = {name: [] for name in peers}
        for pair in range(options.pairs):
            for name, command in peers.items():
                if name == "spark" and pair > 0:
                    # One run of it takes as long as everything else together.
                    continue
                mine = measured(ours, lake["edgemill"])
                theirs = measured([*command, logs, lake[name], threads], lake[name])
                runs["edgemill"].append(mine)
                runs[name].append(theirs)
                ratios[name].append(mine.cpu_s / theirs.cpu_s)
                say(f"{kind}, pair {pair + 1}: edgemill {mine.cpu_s:.2f} s, {name} {theirs.cpu_s:.2f} s, ratio {ratios[name][-1]:.3f}")
        tables = {name: folder if name != "edgemill" else os.path.join(folder, "cloudfront_logs") for name, folder in lake.items()}
        sums = {name: report.sums(table) for name, table in tables.items()}
        if len(set(sums.values())) != 1:
            sys.exit(f"they do not agree: {sums}")
        of_input = {"objects": len(objects(logs)), "raw_bytes": raw_bytes(logs), "systems": {}}
        stored = sum(os.path.getsize(path) for path in objects(logs))
        for name, table in tables.items():
            common = report.columns(tables["edgemill"]) & report.columns(table)
            whole, of_common, read = report.sizes(table, common)
            _, ours_of_common, _ = report.sizes(tables["edgemill"], common)
            of_input["systems"][name] = {
                **median(runs[name])._asdict(),
                "runs": len(runs[name]),
                "cpu_ratio": statistics.median(ratios[name]) if name in ratios else 1.0,
                "output_bytes": whole,
                "output_ratio_of_common_columns": ours_of_common / of_common,
                "read_bytes": read,
                "bots_share": report.bots(table),
                "stored_bytes": stored,
            }
        result["inputs"][kind] = of_input
    show(result)
    print(json.dumps(result))


def show(result):
    for kind, of_input in result["inputs"].items():
        raw, systems = of_input["raw_bytes"], of_input["systems"]
        say(f"\n{of_input['objects']} {kind} objects, {raw / 1e6:,.0f} MB of text, {result['threads']} threads, medians of {result['pairs']} pairs")
        say("| | CPU s | edgemill's CPU / its | wall s | peak MiB | output MB | edgemill's output / its, same columns | reads for bots / bytes / viewers, MB | edgemill's / its |")
        say("|-|-|-|-|-|-|-|-|-|")
        ours = systems["edgemill"]
        for name, of in systems.items():
            read = [of["read_bytes"][query] / 1e6 for query in report.QUERIES]
            ratio = [ours["read_bytes"][query] / of["read_bytes"][query] for query in report.QUERIES]
            say(
                f"| {name} | {of['cpu_s']:.2f} | {of['cpu_ratio']:.3f} | {of['wall_s']:.1f} | {of['peak_mib']:,.0f} | {of['output_bytes'] / 1e6:.1f} "
                f"| {of['output_ratio_of_common_columns']:.3f} | {' / '.join(f'{size:.1f}' for size in read)} | {' / '.join(f'{part:.2f}' for part in ratio)} |"
            )
        pruned = ours["read_bytes"]["bots on is_bot"]
        against = " ".join(f"{name} {pruned / of['read_bytes']['bots']:.3f}" for name, of in systems.items() if name != "edgemill")
        say(f"bots on the base table's is_bot, row groups without bots left out: {pruned / 1e6:.1f} MB ({against})")


if __name__ == "__main__":
    main()
