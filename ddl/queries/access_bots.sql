-- Which bots are the busiest, and where, over all logs: requests per source, address and location, most first.
SELECT source, client_ip, location, COUNT(*) AS ct
FROM access_logs
WHERE is_bot
GROUP BY source, client_ip, location
ORDER BY ct DESC, source, client_ip, location
