// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { DEDUPLICATION_MS } from "../../plugins/sdk/index.ts";
import { createScript } from "./lua-script.ts";
import { REPLY_ANSWER, REPLY_ERROR, REPLY_SHAPE } from "./reply-marks.ts";
import { SLOT_COUNTERS } from "./script-slots.ts";
import { TOKEN_BUCKET } from "./script-token-bucket.ts";
import { WINDOW_COUNTERS } from "./script-windows.ts";

/**
 * The Lua half of the store: the arithmetic of core/quota/counting/ on the server's clock, number for number;
 * script.test.ts compares the two. Differences:
 *
 * - One run decides several calls in turn, each all or nothing. Every key is read once and written once at
 *   the end, counts before answers, so that an error never leaves uncounted grants.
 * - All keys are declared in KEYS and share a hash tag, so that they are on one node of a cluster.
 * - Every key has a TTL: until the whole limit is available again, plus a second for a replica with another
 *   clock. A write that would set the same TTL again keeps the key's, which costs Redis half as much.
 * - Numbers are integers, stored as decimal text (%d), or as little-endian doubles by the counters that most policies
 *   use: SETRANGE changes doubles in place and keeps the TTL, which costs Redis a third less than SET. A text of
 *   doubles begins with a byte for its form; these counters read the decimal text of earlier versions too.
 *
 * KEYS: for each call the deduplication key, if any, and a key for each request. ARGV (Redis reads one long argument
 * faster than many short ones):
 *
 * 1. JSON text, an object of two lists. `shapes`: a list for each kind of request, of the counter's number in
 *    `counterNames` below, limit, windowMs, best effort (0 or 1), leaseMs and, for calendar periods, the beginnings of
 *    the previous, the current and the next one and the next one's end. `again`: the positions in KEYS, from 1, of keys
 *    that occur more than once.
 * 2. The calls, as natural numbers in the form that encoding.ts describes. For each request twice the number of its
 *    shape, from 1, and its amount; for a negative amount 1 more, the amount's absolute value, and the slot + 1. A call of
 *    another form than one request without a deduplication key begins with 0 and twice the number of its requests, and 1
 *    more if it has a deduplication key.
 *
 * Reply: a list of texts. The first one has numbers as little-endian doubles (Redis writes one long text faster than many
 * numbers, and a client reads it without parsing). Its first number is the server's time in milliseconds. For each call
 * follow six numbers for each grant, in QuotaGrant's order; or, in their place:
 *
 * - ERROR, for the next one of the other texts;
 * - ANSWER and the count of the numbers that follow, for a repeated call's first answer and for a call without requests;
 * - -1 - `remaining`, for a positive amount that was granted whole by a change in place; for a token bucket also
 *   `resetMs` and `slot`. SHAPE comes before the first such grant of a shape in a row, with the numbers that they share:
 *   `resetMs`, `validForMs` and `slot`.
 *
 * No number of a grant exceeds 2^53.
 *
 * Each counter has create() and copy(state); parse(text, windowMs), nil for text that Purser did not write;
 * text(state); and charge(state, shape, amount, slot), which returns the six numbers of a QuotaGrant in order. The
 * `expires` of a parsed state is the time until which its key lives, without the second, if known; `lives` is the time
 * until which it shall live, by default until the count is unused; `healed` marks a state that changed without a grant.
 *
 * A counter may also have prepare(shape), which adds numbers that all calls of a shape share, and
 * chargeInPlace(key, text, shape, amount) for a positive amount: if it can be granted by changing the key's text in
 * place, does so and returns `remaining` and, unless they are the shape's, `resetMs` and `slot`; otherwise returns nil, and
 * charge() decides.
 */
const COMMON = `
local floor, ceil, min, max, tonumber = math.floor, math.ceil, math.min, math.max, tonumber
local match, gmatch, find, format = string.match, string.gmatch, string.find, string.format
local byte, sub, pack, unpackBytes = string.byte, string.sub, struct.pack, struct.unpack
local insert, remove, concat = table.insert, table.remove, table.concat
local KEYS, call = KEYS, redis.call
local time = redis.call('TIME')
local now = time[1] * 1000 + floor(time[2] / 1000)
local make = {}

-- The smallest amount that counts as success.
local function leastOf(shape, amount) return shape.bestEffort and 1 or amount end
`;

const CALLS = `
local counterNames = {
  'fixedWindow', 'slidingWindow', 'tokenBucket', 'firstUseWindow', 'calendarPeriod', 'slidingLog', 'allocation',
}
local SLACK_MS = 1000
local DEDUPLICATION_MS = ${DEDUPLICATION_MS}
-- In the place of a grant's first number, which is less.
local ERROR, ANSWER, SHAPE = ${REPLY_ERROR}, ${REPLY_ANSWER}, ${REPLY_SHAPE}
local FOREIGN = 'FOREIGN a key of Purser\\'s holds what Purser did not write'
-- Redis has KEEPTTL since 6.0, and tells scripts its version since 7.0.
local CAN_KEEP_TTL = redis.REDIS_VERSION_NUM ~= nil

-- Lua hands over at most some 8,000 values at once.
local AT_ONCE = 6000
local batch = cjson.decode(ARGV[1])
local codeAt, keyAt = 1, 1
local codes = { byte(ARGV[2], 1, AT_ONCE) }
for first = AT_ONCE + 1, #ARGV[2], AT_ONCE do
  local more = { byte(ARGV[2], first, first + AT_ONCE - 1) }
  for i = 1, #more do codes[first + i - 1] = more[i] end
end
-- The shapes by their numbers; and those whose counts can change in place, by the code of a call.
local shapes, inPlace = {}, {}
local counters = setmetatable({}, { __index = function(made, number)
  local counter = make[counterNames[number]]()
  made[number] = counter
  return counter
end })
-- A shape's \`window\` is the number of the fixed window that is current; an allocation has none.
for i, shape in ipairs(batch.shapes) do
  shapes[i] = {
    counter = counters[shape[1]], limit = shape[2], windowMs = shape[3], bestEffort = shape[4] == 1,
    leaseMs = shape[5], bounds = { shape[6], shape[7], shape[8], shape[9] },
    window = shape[3] > 0 and floor(now / shape[3]),
  }
  if shapes[i].counter.prepare then
    shapes[i].counter.prepare(shapes[i])
    inPlace[2 * i] = shapes[i]
  end
end
-- The positions of keys that occur more than once.
local again = {}
for _, at in ipairs(batch.again) do again[at] = true end

-- One MGET for all keys. It reports keys of another type as missing, so missing keys are read again.
local texts = #KEYS > 0 and call('MGET', unpack(KEYS)) or {}
-- The states by their keys, and those that have changed.
local states, changed, changes = {}, {}, 0
-- For each of \`changed\` its counter, its key and the time until its count is unused: as fields they would double the
-- size of a state.
local changedCounters, changedKeys, resets = {}, {}, {}
local answers, answered = {}, {}
local reply, length, errors = { now }, 1, {}

local function textAt(i)
  local text = texts[i] or redis.pcall('GET', KEYS[i])
  if type(text) == 'table' then return nil, text.err end
  return text, nil
end

local function nextNumber()
  local number, unit, code = 0, 1, codes[codeAt]
  while code >= 64 do
    number, unit, codeAt = number + (code - 64) * unit, unit * 64, codeAt + 1
    code = codes[codeAt]
  end
  codeAt = codeAt + 1
  return number + code * unit
end

-- Reads the next request of a call, and the state of its count: returns its shape, amount, slot, state and error text.
local function nextRequest()
  local form, amount, slot, key = nextNumber(), nextNumber(), -1, KEYS[keyAt]
  local shape = shapes[floor(form / 2)]
  if form % 2 == 1 then amount, slot = 0 - amount, nextNumber() - 1 end
  local state, fault = states[key], nil
  if not state then
    local text, counter = texts[keyAt], shape.counter
    if not text then text, fault = textAt(keyAt) end
    if text then
      state = counter.parse(text, shape.windowMs)
      if not state then fault = FOREIGN end
    elseif not fault then
      state = counter.create()
    end
    if state then states[key] = state end
  end
  keyAt = keyAt + 1
  return shape, amount, slot, state, fault, key
end

-- Puts the six numbers of a grant after the reply's first \`at\` elements.
local function charge(state, shape, amount, slot, at)
  reply[at + 1], reply[at + 2], reply[at + 3], reply[at + 4], reply[at + 5], reply[at + 6] =
    shape.counter.charge(state, shape, amount, slot)
end

-- Has a changed state written.
local function note(state, counter, key, granted, reset)
  if granted == 0 and not state.healed then return end
  local change = state.change
  if not change then
    changes = changes + 1
    change, state.change = changes, changes
    changed[change], changedCounters[change], changedKeys[change] = state, counter, key
  end
  resets[change] = reset
end

local function chargeAll(requests)
  local before, refused = {}, false
  for i = 1, #requests do
    local state = requests[i].state
    if not before[state] then before[state] = requests[i].shape.counter.copy(state) end
  end
  for i = 1, #requests do
    local request, at = requests[i], length + 6 * (i - 1)
    charge(request.state, request.shape, request.amount, request.slot, at)
    if not request.shape.bestEffort and reply[at + 1] < request.amount then refused = true end
  end
  if refused then
    for state, copy in pairs(before) do
      for name, value in pairs(copy) do state[name] = value end
    end
    for i = 1, #requests do
      local at = length + 6 * (i - 1)
      local retry = reply[at + 4]
      charge(requests[i].state, requests[i].shape, 0, -1, at)
      reply[at + 4] = retry
    end
  end
  for i = 1, #requests do
    local request, at = requests[i], length + 6 * (i - 1)
    note(request.state, request.shape.counter, request.key, reply[at + 1], reply[at + 3])
  end
end

local function repeated(i)
  local answer = answers[KEYS[i]]
  if not answer then
    local text, fault = textAt(i)
    if not text then return nil, fault end
    if find(text, '[^%d -]') then return nil, FOREIGN end
    answer = {}
    for number in gmatch(text, '%-?%d+') do answer[#answer + 1] = tonumber(number) end
  end
  local grants, age = {}, max(0, now - answer[1])
  for j = 2, #answer do grants[j - 1] = answer[j] end
  for j = 5, #grants, 6 do grants[j] = max(0, grants[j] - age) end
  return grants, nil
end

local function remember(key, numbers)
  local answer = { now }
  for j = 1, numbers do answer[j + 1] = reply[length + j] end
  answers[key] = answer
  answered[#answered + 1] = key
end

-- Decides a call of one request, which needs no copy of the state. Returns as \`decideAll\` does.
local function decideOne(idAt)
  local shape, amount, slot, state, fault, key = nextRequest()
  if fault then return fault end
  if idAt then
    local grants, idFault = repeated(idAt)
    if grants or idFault then return grants or idFault end
  end
  local counter = shape.counter
  local granted, remaining, reset, retry, valid, grantSlot = counter.charge(state, shape, amount, slot)
  local at = length
  reply[at + 1], reply[at + 2], reply[at + 3] = granted, remaining, reset
  reply[at + 4], reply[at + 5], reply[at + 6] = retry, valid, grantSlot
  note(state, counter, key, granted, reset)
  if idAt then remember(KEYS[idAt], 6) end
  length = at + 6
  return nil
end

-- Returns nil when the call's numbers are in the reply; otherwise an error text, or a list of the numbers.
local function decideAll(size, idAt)
  local requests, fault = {}, nil
  for i = 1, size do
    local shape, amount, slot, state, requestFault, key = nextRequest()
    requests[i] = { shape = shape, amount = amount, slot = slot, state = state, key = key }
    fault = fault or requestFault
  end
  if fault then return fault end
  if idAt then
    local grants, idFault = repeated(idAt)
    if grants or idFault then return grants or idFault end
  end
  chargeAll(requests)
  if idAt then remember(KEYS[idAt], 6 * size) end
  if size == 0 then return {} end
  length = length + 6 * size
  return nil
end

-- Puts an answer into the reply that is not the call's grants: an error text, or a list of numbers.
local function answerWith(other)
  length = length + 1
  if type(other) == 'string' then
    reply[length] = ERROR
    errors[#errors + 1] = other
    return
  end
  reply[length], reply[length + 1] = ANSWER, #other
  for i = 1, #other do reply[length + 1 + i] = other[i] end
  length = length + 1 + #other
end

local function decide()
  local size, idAt, other = 1, nil, nil
  if codes[codeAt] == 0 then
    codeAt = codeAt + 1
    size = nextNumber() / 2
    if size % 1 ~= 0 then
      size, idAt, keyAt = floor(size), keyAt, keyAt + 1
    end
  end
  if size == 1 then other = decideOne(idAt) else other = decideAll(size, idAt) end
  if other then answerWith(other) end
end

-- An ordinary call of one request is decided here, without a table for its state, if its count can change in place.
local codesEnd, lastShape = #codes, nil
while codeAt <= codesEnd do
  local shape, text, remaining, reset, slot = inPlace[codes[codeAt]], texts[keyAt], nil, nil, nil
  if shape and text and not again[keyAt] then
    local from, amount = codeAt, codes[codeAt + 1]
    codeAt = from + 1
    if amount < 64 then codeAt = from + 2 else amount = nextNumber() end
    if amount > 0 then remaining, reset, slot = shape.counter.chargeInPlace(KEYS[keyAt], text, shape, amount) end
    if not remaining then codeAt = from end
  end
  if remaining then
    if shape ~= lastShape then
      reply[length + 1], reply[length + 2], reply[length + 3], reply[length + 4] =
        SHAPE, shape.reset or 0, shape.valid, shape.slot or 0
      lastShape, length = shape, length + 4
    end
    length, keyAt = length + 1, keyAt + 1
    reply[length] = -1 - remaining
    if reset then
      reply[length + 1], reply[length + 2] = reset, slot
      length = length + 2
    end
  else
    decide()
  end
end

for i = 1, changes do
  local state, key, reset = changed[i], changedKeys[i], resets[i]
  local text = changedCounters[i].text(state)
  local lives = state.lives or now + reset
  if CAN_KEEP_TTL and state.expires == lives then
    call('SET', key, text, 'KEEPTTL')
  else
    call('SET', key, text, 'PX', format('%d', lives - now + SLACK_MS))
  end
end
for i = 1, #answered do
  local answer = answers[answered[i]]
  local text = format(string.rep('%d ', #answer), unpack(answer))
  call('SET', answered[i], text, 'PX', DEDUPLICATION_MS)
end
local packed = {}
for first = 1, length, AT_ONCE do
  local last = min(first + AT_ONCE - 1, length)
  packed[#packed + 1] = pack('<' .. string.rep('d', last - first + 1), unpack(reply, first, last))
end
return { concat(packed), unpack(errors) }
`;

/** The script that counts. */
export const COUNTING = createScript(
  [COMMON, WINDOW_COUNTERS, SLOT_COUNTERS, TOKEN_BUCKET, CALLS].join(""),
  "bytes",
);
