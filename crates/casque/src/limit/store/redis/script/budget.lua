-- One key's state and what a budget makes of it, as in limit/budget: whole microseconds of the server's clock, which are exact
-- in Lua's numbers until the year 2255. A state is a text:
--   1732353644000000          a rate: its theoretical arrival time
--   b1732353644000000         blocked until then
--   s1732353644000000 0 500   a strict log: a first moment, and how long after it each request passed
--   w20780 7 1732406400000000 a period of the calendar: its number, what was used, when it ends
-- A budget is three numbers: of a rate (r) the interval, the tolerance and the burst; of a log (s) the limit and the window; of
-- a period (w) the limit, its number, and what is left of it.

local function digits(n)
  return string.format('%.0f', n)
end

-- What has left the window is dropped; what is yet to come, which only a clock that was set back makes, counts as now.
local function read_log(raw, window)
  local log, first, future = {}, nil, false
  for n in string.gmatch(raw, '%d+') do
    if not first then
      first = tonumber(n)
    else
      local moment = first + n
      if moment + window > now then
        log[#log + 1] = moment
        future = moment > now + 1
      end
    end
  end
  if future then
    for i = 1, #log do log[i] = math.min(log[i], now) end
  end
  return log
end

-- The state of a text; `foreign` if it is there and of another kind of budget, which is as if it were not there.
local function open(raw, kind, a, b, c)
  local s = {kind = kind, a = a, b = b, c = c}
  local mark = raw and string.byte(raw) or 0
  if mark == 98 then
    local till = tonumber(string.sub(raw, 2))
    if till > now then s.till = till end
    mark = 0
  end
  if kind == 'r' then
    s.ahead = 0
    if mark > 47 and mark < 58 then
      s.ahead = math.max(raw - now, 0)
      -- Of a clock that was set back, or of a budget that was narrower. It is to be kept, or the key waits for the rest of it.
      if s.ahead > b then s.ahead, s.cut = b, true end
    else
      s.foreign = mark > 0
    end
  elseif kind == 's' then
    s.log = mark == 115 and read_log(raw, b) or {}
    s.foreign = mark > 0 and mark ~= 115
  else
    s.used, s.index, s.ends = 0, b, now + c
    if mark == 119 then
      local index, used, ends = string.match(raw, 'w(%d+) (%d+) (%d+)')
      index, used, ends = tonumber(index), tonumber(used), tonumber(ends)
      -- A later period was begun by somebody whose clock is ahead; it is not begun twice.
      if ends > now and index >= b then
        s.used, s.index = used, index
        if index > b then s.ends = ends end
      end
    else
      s.foreign = mark > 0
    end
  end
  return s
end

local function save(key, s)
  local free, text = 0, ''
  if s.till then
    free, text = s.till, 'b' .. digits(s.till)
  elseif s.kind == 'r' then
    free = now + s.ahead
    text = digits(free)
  elseif s.kind == 's' then
    local log = s.log
    if #log > 0 then
      local parts = {'s' .. digits(log[1])}
      for i = 1, #log do parts[i + 1] = digits(log[i] - log[1]) end
      free, text = log[#log] + s.b, table.concat(parts, ' ')
    end
  elseif s.used > 0 then
    free, text = s.ends, 'w' .. digits(s.index) .. ' ' .. digits(s.used) .. ' ' .. digits(s.ends)
  end
  -- A key of which nothing is left and a key never seen are the same thing.
  if free > now then
    redis.call('SET', key, text, 'PX', digits(math.ceil((free - now) / 1000)))
  else
    redis.call('DEL', key)
  end
end

-- Answers whether it passes (0 no, 1 yes, 2 blocked), how many are left, how long to wait (-1: for ever) and to the full quota.
local function decide(s, cost)
  if s.till then
    return 2, 0, s.till - now, s.till - now
  elseif s.kind == 'r' then
    local ahead = s.ahead
    if cost > s.c then return 0, math.floor((s.b - ahead) / s.a), -1, ahead end
    local after = ahead + cost * s.a
    if after > s.b then return 0, math.floor((s.b - ahead) / s.a), after - s.b, ahead end
    s.ahead = after
    return 1, math.floor((s.b - after) / s.a), 0, after
  elseif s.kind == 's' then
    local log = s.log
    local left, reset = math.max(s.a - #log, 0), 0
    if #log > 0 then reset = log[#log] + s.b - now end
    if cost > s.a then return 0, left, -1, reset end
    if cost > left then return 0, left, math.max(log[#log + cost - s.a] + s.b - now, 0), reset end
    for _ = 1, cost do log[#log + 1] = now end
    if cost > 0 then reset = s.b end
    return 1, left - cost, 0, reset
  end
  local left = math.max(s.a - s.used, 0)
  local rest = s.index > s.b and s.ends - now or s.c
  local reset = s.used > 0 and rest or 0
  if cost > s.a then return 0, left, -1, reset end
  if cost > left then return 0, left, rest, reset end
  s.used = s.used + cost
  return 1, left - cost, 0, s.used > 0 and rest or 0
end
