-- Charges all keys or none.
-- KEYS: of each charge its own key; if it has a creator, also where it is kept that the key was begun, where it is counted how
-- many that one has begun, and where what it begins beyond that is.
-- ARGV: of each charge kind, cost, whether it is only to be told, whether it has a creator, and the three numbers of its
-- budget; after all of them the budget of creators, if there is one.
-- Answers now, the charge that was refused (-1: none), which were counted under their creators, and for each what decide says.
local states, changed = {}, {}

local function state(key, kind, a, b, c)
  local s = states[key]
  if s and s.kind == kind then
    s.a, s.b, s.c = a, b, c
  else
    s = open(redis.call('GET', key), kind, a, b, c)
    states[key] = s
  end
  return s
end

local count = math.floor(#ARGV / 7)
local rest = count * 7
local answer = {now, -1, 0}
local k, at = 1, 0
for i = 0, count - 1 do
  local kind, cost = ARGV[at + 1], tonumber(ARGV[at + 2])
  local a, b, c = tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6]), tonumber(ARGV[at + 7])
  local key = KEYS[k]
  local s = state(key, kind, a, b, c)
  if ARGV[at + 4] == '1' then
    local _, _, _, used = decide(s, 0)
    if used == 0 and cost > 0 then
      local A, B, C = tonumber(ARGV[rest + 1]), tonumber(ARGV[rest + 2]), tonumber(ARGV[rest + 3])
      -- Nothing may be left of what it used, and yet it is no new one.
      local begun = state(KEYS[k + 1], 'r', A, B, C)
      if begun.ahead == 0 then
        local creations = state(KEYS[k + 2], 'r', A, B, C)
        if decide(creations, 1) == 1 then
          changed[KEYS[k + 2]] = creations
          -- Not renewed by its use: whoever keeps many keys alive pays for each of them again.
          begun.ahead = B
          changed[KEYS[k + 1]] = begun
        else
          key = KEYS[k + 3]
          s = state(key, kind, a, b, c)
          answer[3] = answer[3] + 2 ^ i
        end
      end
    end
    k = k + 3
  end
  local passes, left, wait, reset = decide(s, cost)
  local n = #answer
  answer[n + 1], answer[n + 2], answer[n + 3], answer[n + 4] = passes, left, wait, reset
  if passes == 1 and cost > 0 or s.cut then changed[key] = s end
  if passes ~= 1 and ARGV[at + 3] == '0' then
    answer[2] = i
    if s.cut then save(key, s) end
    return answer
  end
  k, at = k + 1, at + 7
end
for key, s in pairs(changed) do save(key, s) end
return answer
