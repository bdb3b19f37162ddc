"""What a Redis server does in one step each, in Lua: nothing comes between its lines.

Keys, all with one hash tag, so that a cluster keeps them on one node:

==================  ===============================================================================
`{prefix}:books`    a hash: `server` (its run id), `era` (changes when the server may have lost
                    something), `opens` (no grants before), `seen`, `spare` (no leases end before)
`{prefix}:due`      a sorted set: leases by the time when they end
`{prefix}:a:…`      a hash for each account: `n`, `t` spent and `hn`, `ht` held, nano-USD and tokens
`{prefix}:l:…`      a hash for each lease: `s` (`r` reserved or `s` started), `n`, `t`, `a` accounts
`{prefix}:b:…`      until when a tier is left alone
`{prefix}:h:…`      what a step of a turn, or a conversation, is held to, as JSON
==================  ===============================================================================

Accounts go by a digest of their name: no user's id is in a key. The server's clock is the only one.
A new era begins when the books are missing (a new server, `FLUSHALL`) or are those of an earlier
start of the server (which may have come up with an older dump). Then nothing is granted for `quiet`
milliseconds, in which every process says the highest sums it knows (`RECOUNT`) and what it holds:
sums only ever grow, so the highest that anybody knows is right.
"""

from __future__ import annotations

_COMMON = """
local books, due = KEYS[1], KEYS[2]
local base, quiet, span = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local info = redis.pcall('INFO', 'server')
local server = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or '-'
local kept = redis.call('HMGET', books, 'server', 'era', 'opens', 'seen', 'spare')
local era, opens = kept[2], tonumber(kept[3] or 0)
local seen, spare, stale = tonumber(kept[4] or 0), tonumber(kept[5] or 0), 0
local MONTH, LATE = 30 * 86400000, 3600000

local function whole(number) return string.format('%.0f', number) end

if not era or kept[1] ~= server then
  era, opens = time[1] .. '.' .. time[2], now + quiet
  redis.call('HSET', books, 'server', server, 'era', era, 'opens', whole(opens))
end
if opens > now + quiet then opens = now + quiet end -- the clock was set back
if now - seen > quiet then spare = now + span end -- nobody was heard for a while: no lease ends yet
if now - seen > quiet / 4 or now < seen then
  redis.call('HSET', books, 'seen', whole(now), 'spare', whole(spare))
  redis.call('PEXPIRE', books, MONTH)
end

local function add(name, field, amount)
  if tonumber(amount) ~= 0 then redis.call('HINCRBY', base .. 'a:' .. name, field, amount) end
end

local function open_account(name, ends)
  redis.call('HSETNX', base .. 'a:' .. name, 'n', 0)
  redis.call('PEXPIREAT', base .. 'a:' .. name, whole(tonumber(ends) + LATE))
end

local function raise(name, ends, n, t)
  if tonumber(n) == 0 and tonumber(t) == 0 then return end
  local has = redis.call('HMGET', base .. 'a:' .. name, 'n', 't')
  local more_n, more_t = tonumber(n) - tonumber(has[1] or 0), tonumber(t) - tonumber(has[2] or 0)
  if more_n <= 0 and more_t <= 0 then return end
  stale = 1
  open_account(name, ends)
  if more_n > 0 then add(name, 'n', whole(more_n)) end
  if more_t > 0 then add(name, 't', whole(more_t)) end
end

local function take_off(id)
  local lease = redis.call('HMGET', base .. 'l:' .. id, 's', 'n', 't', 'a')
  redis.call('ZREM', due, id)
  if not lease[1] then return nil end
  redis.call('DEL', base .. 'l:' .. id)
  for name in string.gmatch(lease[4], '%S+') do
    if redis.call('EXISTS', base .. 'a:' .. name) == 1 then
      add(name, 'hn', whole(0 - tonumber(lease[2])))
      add(name, 'ht', whole(0 - tonumber(lease[3])))
    end
  end
  return lease
end

local function spend(names, n, t)
  for name in string.gmatch(names, '%S+') do
    if redis.call('EXISTS', base .. 'a:' .. name) == 1 then
      add(name, 'n', n)
      add(name, 't', t)
    end
  end
end

local function hold(id, state, n, t, names)
  for name in string.gmatch(names, '%S+') do
    add(name, 'hn', n)
    add(name, 'ht', t)
  end
  local key = base .. 'l:' .. id
  redis.call('HSET', key, 's', state, 'n', n, 't', t, 'a', names)
  redis.call('PEXPIRE', key, MONTH)
  redis.call('ZADD', due, whole(now + span), id)
  redis.call('PEXPIRE', due, MONTH)
end

local function expire()
  if now < spare or now < opens then return end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', whole(now), 'LIMIT', 0, 100)) do
    local lease = take_off(id)
    if lease and lease[1] == 's' then spend(lease[4], lease[2], lease[3]) end
  end
end

local function reply(what, place, first, step)
  local said = {what, era, place, stale}
  for i = first, #ARGV, step do
    local has = redis.call('HMGET', base .. 'a:' .. ARGV[i], 'n', 't', 'hn', 'ht')
    for j = 1, 4 do said[#said + 1] = tonumber(has[j] or 0) end
  end
  return said
end
"""

_RAISE_ALL = """
for i = {first}, #ARGV, {step} do raise(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]) end
"""

RESERVE = (
    _COMMON
    + _RAISE_ALL.format(first=8, step=6)
    + """
local id, state, n, t = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
if redis.call('EXISTS', base .. 'l:' .. id) == 1 then
  if state == 's' then redis.call('HSET', base .. 'l:' .. id, 's', 's') end
  return reply('ok', 0, 8, 6)
end
if now < opens then return reply('wait', opens - now, 8, 6) end
expire()
local names = {}
for i = 8, #ARGV, 6 do
  names[#names + 1] = ARGV[i]
  local has = redis.call('HMGET', base .. 'a:' .. ARGV[i], 'n', 't', 'hn', 'ht')
  local used_n = tonumber(has[1] or 0) + tonumber(has[3] or 0) + tonumber(n)
  local used_t = tonumber(has[2] or 0) + tonumber(has[4] or 0) + tonumber(t)
  local most_n, most_t = tonumber(ARGV[i + 4]), tonumber(ARGV[i + 5])
  if (most_n >= 0 and used_n > most_n) or (most_t >= 0 and used_t > most_t) then
    return reply('short', #names - 1, 8, 6)
  end
end
for i = 8, #ARGV, 6 do open_account(ARGV[i], ARGV[i + 1]) end
hold(id, state, n, t, table.concat(names, ' '))
return reply('ok', 0, 8, 6)
"""
)
"""Arguments: id, state, nano-USD, tokens; for each account its name, end, known sums and limits."""

SETTLE = (
    _COMMON
    + _RAISE_ALL.format(first=10, step=4)
    + """
local id, n, t, most_n, most_t, since = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
if now < opens then return reply('wait', opens - now, 10, 4) end
local names = {}
for i = 10, #ARGV, 4 do
  names[#names + 1] = ARGV[i]
  open_account(ARGV[i], ARGV[i + 1])
end
if not take_off(id) then
  if since == era then -- settled already, or in full when its lease ended
    n = whole(math.max(0, tonumber(n) - tonumber(most_n)))
    t = whole(math.max(0, tonumber(t) - tonumber(most_t)))
  end
end
spend(table.concat(names, ' '), n, t)
return reply('ok', 0, 10, 4)
"""
)
"""Arguments: id, what was spent and held, the lease's era; for each account its name, end, sums."""

BEAT = (
    _COMMON
    + """
for i = 4, #ARGV do redis.call('ZADD', due, 'XX', whole(now + span), ARGV[i]) end
expire()
return {'ok', era, 0, 0}
"""
)
"""Arguments: the leases that a process renews."""

RECOUNT = (
    _COMMON
    + """
local i = 5
for _ = 1, tonumber(ARGV[4]) do
  raise(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
  open_account(ARGV[i], ARGV[i + 1])
  i = i + 4
end
while i <= #ARGV do
  if redis.call('EXISTS', base .. 'l:' .. ARGV[i]) == 0 then
    hold(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4])
  elseif ARGV[i + 1] == 's' then
    redis.call('HSET', base .. 'l:' .. ARGV[i], 's', 's')
  end
  i = i + 5
end
return {'ok', era, 0, stale}
"""
)
"""Arguments: how many accounts; for each its name, end and sums; then leases to hold again."""

USED = _COMMON + "return reply('ok', 0, 4, 1)\n"
"""Arguments: names of accounts."""

SYNC = """
local base, said = ARGV[1], {}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 2, #ARGV, 4 do
  local key, news = base .. 'b:' .. ARGV[i], tonumber(ARGV[i + 1])
  local ends = tonumber(redis.call('GET', key) or 0)
  local function close_for(span)
    ends = now + span
    redis.call('SET', key, string.format('%.0f', ends), 'PX', span + 600000)
  end
  if news == 0 then
    redis.call('DEL', key)
    ends = 0
  elseif news and now + news > ends then
    close_for(news)
  end
  if ends == 0 then
    said[#said + 1] = -1
  elseif ends > now then
    said[#said + 1] = ends - now
  elseif ARGV[i + 2] == '1' then -- one may try, and the next an interval later
    close_for(tonumber(ARGV[i + 3]))
    said[#said + 1] = 0
  elseif now - ends > tonumber(ARGV[i + 3]) then -- no process has wanted it for so long
    said[#said + 1] = -2
  else
    said[#said + 1] = 1
  end
end
return said
"""
"""Arguments, for each breaker: its name, milliseconds that it is open for (0 closed, - no news),
whether requests want it, and milliseconds between two probes. Returns those left for each: -1 where
it is closed, 0 where this process may try, -2 where whoever comes first may."""

GET_HOLDS = """
local said = {}
for i = 2, #ARGV do
  said[i - 1] = redis.call('GET', ARGV[1] .. 'h:' .. ARGV[i]) or ''
end
return said
"""
"""Arguments: names of what cascades hold to. Returns what is known of each, or an empty text."""

PUT_HOLDS = """
for i = 2, #ARGV, 3 do
  redis.call('SET', ARGV[1] .. 'h:' .. ARGV[i], ARGV[i + 1], 'PX', ARGV[i + 2])
end
return {}
"""
"""Arguments, for each: its name, what is to be known of it, and for how many milliseconds."""
