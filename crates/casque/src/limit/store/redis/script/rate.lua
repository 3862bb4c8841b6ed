-- One charge of a rate, which is what is asked most. As charge.lua, and its state is the same.
-- ARGV: interval, tolerance, burst, cost. Answers now, and how far ahead the key was before; -2 less what is left of a block.
-- Numbers are given to Redis as they are: it writes all digits of a whole number below 10^17.
local call = redis.call
local raw = call('GET', KEYS[1])
local ahead, cut, tolerance = 0, false, tonumber(ARGV[2])
if raw then
  local tat = tonumber(raw)
  if tat then
    if tat > now then
      ahead = tat - now
      -- As in budget.lua.
      if ahead > tolerance then ahead, cut = tolerance, true end
    end
  elseif string.byte(raw) == 98 then
    local till = tonumber(string.sub(raw, 2))
    if till > now then return {now, now - till - 2} end
  end
end
local cost = tonumber(ARGV[4])
local after = ahead + cost * ARGV[1]
local kept = ahead
if after <= tolerance and cost <= tonumber(ARGV[3]) then kept = after end
if kept > ahead or cut then call('SET', KEYS[1], now + kept, 'PX', math.ceil(kept / 1000)) end
return {now, ahead}
