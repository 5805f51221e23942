"""What every system is asked to do: the same columns, the same partitions, the same kind of look at user agents."""

import glob
import os

FIELDS = (
    "date time x_edge_location sc_bytes c_ip cs_method cs_host cs_uri_stem sc_status cs_referer cs_user_agent cs_uri_query "
    "cs_cookie x_edge_result_type x_edge_request_id x_host_header cs_protocol cs_bytes time_taken x_forwarded_for ssl_protocol "
    "ssl_cipher x_edge_response_result_type cs_protocol_version fle_status fle_encrypted_fields c_port time_to_first_byte "
    "x_edge_detailed_result_type sc_content_type sc_content_len sc_range_start sc_range_end"
).split()

INTEGERS = {"sc_bytes", "cs_bytes", "sc_content_len", "sc_range_start", "sc_range_end", "sc_status", "c_port", "fle_encrypted_fields"}
DOUBLES = {"time_taken", "time_to_first_byte"}

# A look at user agents of the usual kind: one pattern after another, the first that fits counts. Patterns for the text after
# percent-decoding; bots by what they call themselves.
BROWSERS = [
    ("Edge", r"Edg(e|A|iOS)?/"),
    ("Opera", r"OPR/|Opera"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/"),
    ("Safari", r"Version/[0-9.]+.*Safari/"),
    ("Internet Explorer", r"MSIE |Trident/"),
]
SYSTEMS = [
    ("Windows", r"Windows NT"),
    ("Android", r"Android"),
    ("iOS", r"iPhone|iPad|iPod"),
    ("macOS", r"Mac OS X"),
    ("ChromeOS", r"CrOS"),
    ("Linux", r"Linux|X11"),
]
BOTS = [
    r"(?i)bot\b|bot/|crawl|spider|slurp",
    r"(?i)headless|phantomjs|selenium|lighthouse",
    r"(?i)^(curl|wget|python|go-http|java|okhttp|axios|apache-http|libwww|ruby|php)",
    r"(?i)monitor|uptime|pingdom|healthcheck|health-check|checker",
    r"(?i)facebookexternalhit|preview|feed|scan|fetch",
]


def objects(folder):
    """The raw logs, in order."""
    return sorted(glob.glob(os.path.join(folder, "*.gz")))


def first_match(rules, match, fallback):
    """CASE WHEN ... in SQL."""
    cases = " ".join(f"WHEN {match(pattern)} THEN '{name}'" for name, pattern in rules)
    return f"CASE {cases} ELSE {fallback} END"
