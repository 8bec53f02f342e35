// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Counters of slots in Lua, in the form that script.ts describes; core/quota/counting/sliding-window.ts and
 * sliding-log.ts document them and their proofs. The log is a window with slots of a millisecond, each of which is
 * free again a window after its beginning, not after its end. Texts of a log have each slot as its distance from the
 * one before, which makes them half as long.
 */
export const SLOT_COUNTERS = `
local function slotCounter(isLog)
  local counter = {}
  -- A slot is free again at (slot + lag) * slotMs + windowMs.
  local lag = isLog and 0 or 1

  local function slotMsOf(windowMs) return isLog and 1 or ceil(windowMs / 32) end

  local function forgetOld(s, windowMs, slotMs)
    local old, entries = 0, #s.slots
    local freed = (now - windowMs) / slotMs - lag
    while old < entries and s.slots[old + 1] <= freed do
      old = old + 1
      s.used = s.used - s.counts[old]
    end
    if old > 0 then
      local slots, counts = {}, {}
      for i = old + 1, entries do slots[i - old], counts[i - old] = s.slots[i], s.counts[i] end
      s.slots, s.counts = slots, counts
    end
    local farthest = floor((now + windowMs) / slotMs)
    if s.used > 0 and s.slots[#s.slots] > farthest then
      s.slots, s.counts, s.healed = { farthest }, { s.used }, true
    end
  end

  -- Mostly the newest slot is asked for.
  local function lastUpTo(slots, slot)
    local i = #slots
    while i > 0 and slots[i] > slot do i = i - 1 end
    return i
  end

  function counter.create() return { slots = {}, counts = {}, used = 0 } end

  function counter.copy(s)
    local slots, counts = {}, {}
    for i = 1, #s.slots do slots[i], counts[i] = s.slots[i], s.counts[i] end
    return { slots = slots, counts = counts, used = s.used }
  end

  -- The form of a window: 2, used, the newest slot's count, the newest slot, the oldest slot; then, as the whole of a log
  -- and of a window of before, the slots and their counts as decimal text, of a window without the newest slot.
  local HEAD, HEAD_BYTES = '<Bdddd', 33

  function counter.parse(text, windowMs)
    local newest, newestCount
    if not isLog and #text >= HEAD_BYTES and byte(text) == 2 then
      newestCount, newest = unpackBytes('<dd', text, 10)
      text = sub(text, HEAD_BYTES + 1)
    end
    if find(text, '[^%d ]') then return nil end
    local slots, counts, used, i, before = {}, {}, 0, 0, 0
    for number, count in gmatch(text, '(%d+) (%d+)') do
      i = i + 1
      slots[i], counts[i] = before + tonumber(number), tonumber(count)
      used = used + counts[i]
      if isLog then before = slots[i] end
    end
    if newest then
      i = i + 1
      slots[i], counts[i], used = newest, newestCount, used + newestCount
    end
    local expires = i > 0 and (slots[i] + lag) * slotMsOf(windowMs) + windowMs
    return { slots = slots, counts = counts, used = used, expires = expires }
  end

  function counter.text(s)
    local texts, before, entries, head = {}, 0, #s.slots, ''
    if not isLog and entries > 0 then
      head = pack(HEAD, 2, s.used, s.counts[entries], s.slots[entries], s.slots[1])
      entries = entries - 1
    end
    for i = 1, entries do
      texts[i] = format('%d %d', s.slots[i] - before, s.counts[i])
      if isLog then before = s.slots[i] end
    end
    return head .. concat(texts, ' ')
  end

  function counter.prepare(shape)
    local slotMs, lease = slotMsOf(shape.windowMs), min(shape.leaseMs, shape.windowMs)
    local slot = floor((now + lease) / slotMs)
    shape.slot, shape.reset, shape.valid = slot, (slot + lag) * slotMs + shape.windowMs - now, lease
    shape.freed = (now - shape.windowMs) / slotMs - lag
  end

  function counter.chargeInPlace(key, text, shape, amount)
    if #text < HEAD_BYTES then return nil end
    local form, used, count, newest, oldest = unpackBytes(HEAD, text)
    used = used + amount
    if form ~= 2 or newest ~= shape.slot or oldest <= shape.freed or used > shape.limit then return nil end
    call('SETRANGE', key, '1', pack('<dd', used, count + amount))
    return shape.limit - used
  end
  if isLog then counter.prepare = nil end

  function counter.charge(s, shape, amount, slot)
    local limit, windowMs = shape.limit, shape.windowMs
    local slotMs = slotMsOf(windowMs)
    forgetOld(s, windowMs, slotMs)
    local slots, counts = s.slots, s.counts
    local granted, retry, valid, reset = 0, 0, 0, 0
    if amount < 0 then
      local i = lastUpTo(slots, slot)
      if slots[i] == slot then
        granted = max(amount, 0 - counts[i])
        counts[i] = counts[i] + granted
        if counts[i] == 0 then
          remove(slots, i)
          remove(counts, i)
        end
      end
    else
      local least, free = leastOf(shape, amount), max(0, limit - s.used)
      local lease = min(shape.leaseMs, windowMs)
      slot = floor((now + lease) / slotMs)
      if amount == 0 then
        granted = 0
      elseif least <= free then
        granted, valid = min(amount, free), lease
        local i = lastUpTo(slots, slot)
        if slots[i] == slot then
          counts[i] = counts[i] + granted
        else
          insert(slots, i + 1, slot)
          insert(counts, i + 1, granted)
        end
      elseif least > limit then
        retry = windowMs
      else
        local missing, i = least - (limit - s.used), 1
        while missing > counts[i] do
          missing = missing - counts[i]
          i = i + 1
        end
        retry = (slots[i] + lag) * slotMs + windowMs - now
      end
    end
    s.used = s.used + granted
    if s.used > 0 then reset = (slots[#slots] + lag) * slotMs + windowMs - now end
    return granted, max(0, limit - s.used), reset, retry, valid, slot
  end

  return counter
end

function make.slidingWindow() return slotCounter(false) end
function make.slidingLog() return slotCounter(true) end
`;
