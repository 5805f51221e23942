-- Where the bytes go: bytes sent per distribution and edge location, most first.
SELECT distribution, location, SUM(bytes) AS totalBytes
FROM cf_logs
GROUP BY distribution, location
ORDER BY totalBytes DESC NULLS LAST, distribution, location
