-- Which bots are the busiest, and where: requests per address and edge location, most first.
SELECT requestip, location, COUNT(*) AS ct
FROM cf_logs
WHERE isbot = 'True'
GROUP BY requestip, location
ORDER BY ct DESC, requestip, location
