-- Who asks most: the fifty addresses with the most requests, most first.
SELECT requestip, COUNT(*) AS ct
FROM cf_logs
GROUP BY requestip
ORDER BY ct DESC, requestip
LIMIT 50
