"""What Redis does for the limits of a twin, each script in one piece.

Every script gets the keys of one user (requests, executions, used, running, refused) and at
least two arguments: the request's id and the window in milliseconds. `requests` and `running`
hold ids by the time they came, `executions` holds `id:milliseconds` by the time they were done,
`used` is the sum of these, `refused` counts refusals since the last admission.
"""

from __future__ import annotations

_CLEAN = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local id, window = ARGV[1], tonumber(ARGV[2])
local requests, executions, used, running, refused = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
redis.call('ZREMRANGEBYSCORE', requests, '-inf', now - window)
for _, member in ipairs(redis.call('ZRANGEBYSCORE', executions, '-inf', now - window)) do
  redis.call('DECRBY', used, string.match(member, '%d+$'))
  redis.call('ZREM', executions, member)
end
local function keep()
  for _, key in ipairs({requests, executions, used}) do redis.call('PEXPIRE', key, 2 * window) end
end
local function left()
  return {redis.call('ZCARD', requests), tonumber(redis.call('GET', used) or '0')}
end
"""

ADMIT = (
    _CLEAN
    + """
local most, most_used, most_running = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
-- A process that was killed finishes nothing; what runs for ten minutes runs no longer.
redis.call('ZREMRANGEBYSCORE', running, '-inf', now - 600000)
local count, spent = unpack(left())
local verdict = 0
if count >= most then verdict = 1
elseif spent >= most_used then verdict = 2
elseif redis.call('ZCARD', running) >= most_running then verdict = 3 end
if verdict == 0 then
  redis.call('ZADD', requests, now, id)
  redis.call('ZADD', running, now, id)
  redis.call('PEXPIRE', running, 600000)
  redis.call('DEL', refused)
  keep()
  return {0, 0}
end
local turned_away = redis.call('INCR', refused)
redis.call('PEXPIRE', refused, window)
local wait = 1000
if verdict == 1 then
  -- All that were turned away will come back: as many must have left the window by then.
  local last = math.min(count - most + turned_away, count) - 1
  local oldest = redis.call('ZRANGE', requests, last, last, 'WITHSCORES')
  wait = oldest[2] + window - now
elseif verdict == 2 then
  for _, member in ipairs(redis.call('ZRANGE', executions, 0, -1)) do
    if spent < most_used then break end
    spent = spent - string.match(member, '%d+$')
    wait = redis.call('ZSCORE', executions, member) + window - now
  end
end
-- Who does not wait is told to wait longer, a window at most.
local longer = wait + 250 * (turned_away - 1)
return {verdict, math.max(wait, math.min(longer, window))}
"""
)
"""Arguments 3 to 5: most requests, milliseconds, and requests at once. Returns the verdict
(0 admitted, 1 too many requests, 2 too much time, 3 too many at once), and milliseconds to wait."""

FINISH = (
    _CLEAN
    + """
redis.call('ZREM', running, id)
redis.call('ZADD', executions, now, id .. ':' .. ARGV[3])
redis.call('INCRBY', used, ARGV[3])
keep()
return left()
"""
)
"""Argument 3: milliseconds it took. Returns requests and milliseconds in the window."""

LEFT = _CLEAN + "return left()"
"""Returns requests and milliseconds in the window."""
