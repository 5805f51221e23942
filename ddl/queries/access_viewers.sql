-- Who asks most, over all logs: the fifty addresses with the most requests, most first.
SELECT client_ip, COUNT(*) AS ct
FROM access_logs
GROUP BY client_ip
ORDER BY ct DESC, client_ip
LIMIT 50
