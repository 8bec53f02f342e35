// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { DEDUPLICATION_MS } from "../../plugins/sdk/index.ts";
import { createScript } from "./lua-script.ts";
import { FIXED_WINDOW, SLIDING_WINDOW, TOKEN_BUCKET } from "./script-counters.ts";
import { ALLOCATION, CALENDAR_PERIOD, FIRST_USE_WINDOW, SLIDING_LOG } from "./script-windows.ts";

/**
 * The Lua half of the store: the arithmetic of core/quota/counting/ on the server's clock, number for number;
 * script.test.ts compares the two. Differences:
 *
 * - One run decides several calls in turn, each all or nothing. Every key is read once and written once at
 *   the end, counts before answers, so that an error never leaves uncounted grants.
 * - All keys are declared in KEYS and share a hash tag, so that they are on one node of a cluster.
 * - Every write sets the key's TTL: until the whole limit is available again, plus a second for a replica
 *   with another clock.
 * - Numbers are integers, stored as decimal text: %d for numbers below 2^53, %.0f for numbers that may exceed
 *   it (Lua's own form has 14 digits). Replies are truncated to integers; none exceeds 2^53.
 *
 * ARGV: the number of calls; for each call 1 if its first key is that of its deduplication id, else 0, and
 * the number of its requests; for each request its shape, amount and slot (-1 when there is none). A shape
 * is, separated by spaces: the counter's number in `counters` below, limit, windowMs, best effort (0 or 1),
 * leaseMs and, for calendar periods, the beginnings of the previous, the current and the next one and the next
 * one's end. KEYS: for each call the deduplication key, if any, and a key for each request.
 *
 * Reply: the server's time in milliseconds; then for each call either its grants, six numbers each in
 * QuotaGrant's order, or an error text.
 */
const COMMON = `
local floor, ceil, min, max, tonumber, format = math.floor, math.ceil, math.min, math.max, tonumber, string.format
local time = redis.call('TIME')
local now = time[1] * 1000 + floor(time[2] / 1000)
`;

const CALLS = `
local counters = {
  fixedWindow, slidingWindow, tokenBucket, firstUseWindow, calendarPeriod, slidingLog, allocation,
}
local SLACK_MS = 1000
local DEDUPLICATION_MS = ${DEDUPLICATION_MS}
local FOREIGN = 'FOREIGN a key of Purser\\'s holds what Purser did not write'

-- One MGET for all keys. It reports keys of another type as missing, so missing keys are read again.
local texts = #KEYS > 0 and redis.call('MGET', unpack(KEYS)) or {}
local cells, changed, answers, answered = {}, {}, {}, {}
local k, a = 0, 1

-- Parsing numbers costs as much as deciding: numbers and shapes that calls share are parsed once.
local numbers = setmetatable({}, { __index = function(known, text)
  local number = tonumber(text)
  known[text] = number
  return number
end })
local shapes = setmetatable({}, { __index = function(known, text)
  local counter, limit, windowMs, bestEffort, leaseMs, rest =
    string.match(text, '^(%d) (%d+) (%d+) (%d) (%d+)(.*)$')
  local shape = {
    counter = counters[tonumber(counter)], limit = tonumber(limit), windowMs = tonumber(windowMs),
    bestEffort = bestEffort == '1', leaseMs = tonumber(leaseMs),
  }
  if rest ~= '' then
    shape.period = {}
    for instant in string.gmatch(rest, '%d+') do shape.period[#shape.period + 1] = tonumber(instant) end
  end
  known[text] = shape
  return shape
end })

local function textAt(i)
  local text = texts[i]
  if text then return text, nil end
  local other = redis.pcall('GET', KEYS[i])
  if type(other) == 'table' then return nil, other.err end
  return other, nil
end

local function cellAt(i, counter)
  local key = KEYS[i]
  local cell = cells[key]
  if cell then return cell, nil end
  local text, fault = textAt(i)
  if fault then return nil, fault end
  local state
  if text then state = counter.parse(text) else state = counter.create() end
  if not state then return nil, FOREIGN end
  cell = { key = key, counter = counter, state = state }
  cells[key] = cell
  return cell, nil
end

local function note(cell, granted, reset)
  if granted == 0 and not cell.state.healed then return end
  if not cell.ttl then changed[#changed + 1] = cell end
  cell.ttl = reset + SLACK_MS
end

local function charge(cell, shape, amount, slot)
  local least = amount
  if shape.bestEffort then least = 1 end
  return cell.counter.charge(
    cell.state, shape.limit, shape.windowMs, amount, least, shape.leaseMs,
    amount < 0 and numbers[slot] or -1, shape.period)
end

local function chargeOne(cell, at)
  local grant = { charge(cell, shapes[ARGV[at]], numbers[ARGV[at + 1]], ARGV[at + 2]) }
  note(cell, grant[1], grant[3])
  return grant
end

local function chargeAll(call, at)
  local before, grants, refused = {}, {}, false
  for i = 1, #call do
    local cell = call[i]
    if not before[cell] then before[cell] = cell.counter.copy(cell.state) end
  end
  for i = 1, #call do
    local p = at + 3 * (i - 1)
    local shape, amount = shapes[ARGV[p]], numbers[ARGV[p + 1]]
    grants[i] = { charge(call[i], shape, amount, ARGV[p + 2]) }
    if not shape.bestEffort and grants[i][1] < amount then refused = true end
  end
  if refused then
    for cell, state in pairs(before) do cell.state = state end
    for i = 1, #call do
      local retry = grants[i][4]
      grants[i] = { charge(call[i], shapes[ARGV[at + 3 * (i - 1)]], 0) }
      grants[i][4] = retry
    end
  end
  local reply = {}
  for i = 1, #grants do
    local grant = grants[i]
    note(call[i], grant[1], grant[3])
    for j = 1, 6 do reply[6 * i - 6 + j] = grant[j] end
  end
  return reply
end

local function repeated(i)
  local answer = answers[KEYS[i]]
  if not answer then
    local text, fault = textAt(i)
    if not text then return nil, fault end
    if string.find(text, '[^%d -]') then return nil, FOREIGN end
    answer = {}
    for number in string.gmatch(text, '%-?%d+') do answer[#answer + 1] = tonumber(number) end
  end
  local grants, age = {}, max(0, now - answer[1])
  for i = 2, #answer do grants[i - 1] = answer[i] end
  for i = 5, #grants, 6 do grants[i] = max(0, grants[i] - age) end
  return grants, nil
end

local function remember(key, reply)
  local answer = { now }
  for i = 1, #reply do answer[i + 1] = reply[i] end
  answers[key] = answer
  answered[#answered + 1] = key
end

local function answerCall()
  local dedupAt, count, at = nil, numbers[ARGV[a + 2]], a + 3
  if ARGV[a + 1] == '1' then
    k = k + 1
    dedupAt = k
  end
  local firstKey = k
  k = k + count
  a = a + 2 + 3 * count
  local call, fault = {}, nil
  for i = 1, count do
    local cell, cellFault = cellAt(firstKey + i, shapes[ARGV[at + 3 * (i - 1)]].counter)
    call[i] = cell
    fault = fault or cellFault
  end
  if fault then return fault end
  if dedupAt then
    local grants, dedupFault = repeated(dedupAt)
    if grants or dedupFault then return grants or dedupFault end
  end
  local reply
  if count == 1 then reply = chargeOne(call[1], at) else reply = chargeAll(call, at) end
  if dedupAt then remember(KEYS[dedupAt], reply) end
  return reply
end

local replies = { now }
for i = 1, tonumber(ARGV[1]) do replies[i + 1] = answerCall() end

for i = 1, #changed do
  local cell = changed[i]
  redis.call('SET', cell.key, cell.counter.text(cell.state), 'PX', cell.ttl)
end
for i = 1, #answered do
  local answer = answers[answered[i]]
  local text = format(string.rep('%d ', #answer), unpack(answer))
  redis.call('SET', answered[i], text, 'PX', DEDUPLICATION_MS)
end
return replies
`;

/** The script that counts. */
export const COUNTING = createScript(
  [
    COMMON,
    FIXED_WINDOW,
    SLIDING_WINDOW,
    TOKEN_BUCKET,
    FIRST_USE_WINDOW,
    CALENDAR_PERIOD,
    SLIDING_LOG,
    ALLOCATION,
    CALLS,
  ].join(""),
);
