-- What a careful operator builds on Redis: AUTHORIZE and STOP as one script. At every level of the chain the longest
-- prefix is looked up, the longest time that all can pay is found, and the amounts are held; STOP charges them.
--
--   EVALSHA sha 0 AUTHORIZE call line number want     -> {"OK", seconds granted} or {"NOFUNDS" or "NORATE", 0}
--   EVALSHA sha 0 STOP call seconds                   -> {"OK", cost of the customer} or {"UNKNOWN", 0}
--
-- Keys:  party:<id>    hash: balance, held, parent (none at the top), deck; in nano-units
--        deck:<name>   hash: prefix -> "rate setup first step"; nano-units a second, nano-units, seconds, seconds
--        call:<id>     list: "party rate setup first step held" of each level, the customer first
--        records       stream of calls that have ended, its length bounded
local ask = redis.call
local PREFIX_MAX = 9  -- The longest in any deck.
local RECORDS_MAX = 100000

local function cost(seconds, rate, setup, first, step)
    if seconds <= 0 then return 0 end
    local billed = first
    if seconds > first then billed = first + math.ceil((seconds - first) / step) * step end
    return setup + rate * billed
end

local function digits(number) return string.format('%.0f', number) end

if ARGV[1] == 'AUTHORIZE' then
    local call, line, number, granted = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
    local prefixes = {}
    for length = math.min(#number, PREFIX_MAX), 1, -1 do prefixes[#prefixes + 1] = number:sub(1, length) end
    local levels, party = {}, line
    while party do
        local state = ask('HMGET', 'party:' .. party, 'balance', 'held', 'parent', 'deck')
        local row
        for _, found in ipairs(ask('HMGET', 'deck:' .. state[4], unpack(prefixes))) do
            if found then row = found break end
        end
        if not row then return {'NORATE', 0} end
        local rate, setup, first, step = row:match('(%d+) (%d+) (%d+) (%d+)')
        rate, setup, first, step = tonumber(rate), tonumber(setup), tonumber(first), tonumber(step)
        local affordable = math.floor((tonumber(state[1]) - tonumber(state[2]) - setup) / rate)
        if affordable < first then return {'NOFUNDS', 0} end
        granted = math.min(granted, first + math.floor((affordable - first) / step) * step)
        levels[#levels + 1] = {party, rate, setup, first, step}
        party = state[3]
    end
    local held = {}
    for i, level in ipairs(levels) do
        local amount = digits(cost(granted, level[2], level[3], level[4], level[5]))
        ask('HINCRBY', 'party:' .. level[1], 'held', amount)
        held[i] = string.format('%s %.0f %.0f %d %d %s', level[1], level[2], level[3], level[4], level[5], amount)
    end
    ask('RPUSH', 'call:' .. call, unpack(held))
    return {'OK', granted}
end

local call, seconds = ARGV[2], tonumber(ARGV[3])
local held = ask('LRANGE', 'call:' .. call, 0, -1)
if #held == 0 then return {'UNKNOWN', 0} end
local charged
for _, level in ipairs(held) do
    local party, rate, setup, first, step, amount = level:match('(%S+) (%d+) (%d+) (%d+) (%d+) (%d+)')
    local due = cost(seconds, tonumber(rate), tonumber(setup), tonumber(first), tonumber(step))
    ask('HINCRBY', 'party:' .. party, 'held', digits(0 - tonumber(amount)))
    ask('HINCRBY', 'party:' .. party, 'balance', digits(0 - due))
    charged = charged or digits(due)
end
ask('DEL', 'call:' .. call)
ask('XADD', 'records', 'MAXLEN', '~', RECORDS_MAX, '*', 'call', call, 'seconds', seconds, 'customer', held[1])
return {'OK', charged}
