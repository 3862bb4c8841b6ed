-- A counter that ends so long after it began.
-- ARGV: add, put, get or delete; points; milliseconds for a counter that begins, 0: for ever.
-- Answers its points, the milliseconds that are left of it (-1: for ever, -2: it is not there), and whether it began, or for
-- delete whether it was there.
local op, key, points = ARGV[1], KEYS[1], ARGV[2]
local begun = 0
if op == 'delete' then
  return {0, -2, redis.call('DEL', key)}
elseif op ~= 'get' then
  local new = op == 'put' or redis.call('EXISTS', key) == 0
  if new then
    if ARGV[3] == '0' then
      redis.call('SET', key, points)
    else
      redis.call('SET', key, points, 'PX', ARGV[3])
    end
    begun = 1
  else
    redis.call('INCRBY', key, points)
  end
end
return {tonumber(redis.call('GET', key) or 0), redis.call('PTTL', key), begun}
