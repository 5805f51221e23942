-- Where the bytes go, over all logs: bytes sent per source, site and location, most first.
SELECT source, site, location, SUM(bytes) AS totalBytes
FROM access_logs
GROUP BY source, site, location
ORDER BY totalBytes DESC NULLS LAST, source, site, location
