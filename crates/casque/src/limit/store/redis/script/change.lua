-- Changes keys without asking, one after the other; a key may come more than once.
-- ARGV: of each key what to do, two numbers for it, kind and the three numbers of its budget.
-- Answers as charge.lua does: for each key what decide would say to one more and how many are left.

-- Charges up to the limit.
local function spend(s, n)
  if s.kind == 'r' then
    s.ahead = math.min(s.ahead + n * s.a, s.b)
  elseif s.kind == 's' then
    for _ = 1, math.min(n, s.a - #s.log) do s.log[#s.log + 1] = now end
  else
    s.used = math.min(s.used + n, s.a)
  end
end

local function forget(s)
  s.till, s.ahead, s.log, s.used, s.index, s.ends = nil, 0, {}, 0, s.b, now + s.c
end

local function reward(s, n)
  if s.kind == 'r' then
    s.ahead = math.max(s.ahead - n * s.a, 0)
  elseif s.kind == 's' then
    for _ = 1, math.min(n, #s.log) do table.remove(s.log, 1) end
  elseif s.index == s.b then
    s.used = math.max(s.used - n, 0)
  end
end

-- Takes back a charge of n that was made at `moment`: of a rate what time has not paid back, of a log the newest not later.
local function refund(s, n, moment)
  if s.kind == 'r' then
    s.ahead = math.max(s.ahead - math.max(n * s.a - math.max(now - moment, 0), 0), 0)
  elseif s.kind == 's' then
    for _ = 1, math.min(n, #s.log) do
      local own = #s.log
      while own > 0 and s.log[own] > moment do own = own - 1 end
      if own == 0 then return end
      table.remove(s.log, own)
    end
  elseif s.index == s.b then
    s.used = math.max(s.used - n, 0)
  end
end

local answer = {now, -1, 0}
for i, key in ipairs(KEYS) do
  local at = (i - 1) * 7
  local op, n, m = ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local s = open(redis.call('GET', key), ARGV[at + 4], tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6]), tonumber(ARGV[at + 7]))
  if op == 'reset' then
    forget(s)
  elseif op == 'set' then
    forget(s)
    spend(s, n)
  elseif op == 'block' and n == 0 and not s.till then
    -- No time is no block, nor is it a pardon.
    op = 'look'
  elseif op == 'block' then
    s.till = math.max(s.till or 0, now + n)
  elseif op == 'unblock' and s.till then
    forget(s)
  elseif s.till or op == 'unblock' or op == 'refund' and s.foreign then
    op = 'look'
  elseif op == 'penalise' then
    spend(s, n)
  elseif op == 'reward' then
    reward(s, n)
  elseif op == 'refund' then
    refund(s, n, m)
  elseif op == 'merge' then
    -- What was charged elsewhere; and never more left than there.
    spend(s, n)
    local _, left = decide(s, 0)
    spend(s, math.max(left - m, 0))
  end
  if op ~= 'look' then save(key, s) end
  local _, left, _, reset = decide(s, 0)
  local passes, _, wait = decide(s, 1)
  local k = #answer
  answer[k + 1], answer[k + 2], answer[k + 3], answer[k + 4] = passes, left, wait, reset
end
return answer
