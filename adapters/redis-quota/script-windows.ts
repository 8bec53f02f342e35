// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ALLOCATION_IDLE_MS, ALLOCATION_RETRY_MS, ALLOCATION_TOUCH_MS } from "../../plugins/sdk/index.ts";

/**
 * Counters of one used amount in Lua, in the form that script.ts describes; core/quota/counting/fixed-window.ts,
 * first-use-window.ts, calendar-period.ts and allocation.ts document them and their proofs.
 */
const SHARED = `
-- Takes the amount or, of a best effort, the free part; or gives it back to the current slot. The window ends in \`ends\`
-- milliseconds, and a lease lasts for at most \`longest\`.
local function chargeWindow(s, shape, amount, slot, current, ends, longest)
  local limit, used, granted, reset, retry, valid = shape.limit, s.used, 0, 0, 0, 0
  if amount > 0 then
    local free = limit - used
    if amount <= free then
      granted = amount
    elseif shape.bestEffort and free > 0 then
      granted = free
    elseif leastOf(shape, amount) > limit then
      retry = shape.windowMs
    else
      retry = ends
    end
    if granted > 0 then
      valid = shape.leaseMs
      if valid > longest then valid = longest end
    end
  elseif amount < 0 and slot == current then
    granted = max(amount, 0 - used)
  end
  used = used + granted
  s.used = used
  if used > 0 then reset = ends end
  local remaining = limit - used
  if remaining < 0 then remaining = 0 end
  return granted, remaining, reset, retry, valid, current
end
`;

const FIXED_WINDOW = `
function make.fixedWindow()
  local counter = {}

  function counter.create() return { window = 0, used = 0, expires = false, change = false } end
  function counter.copy(s) return { window = s.window, used = s.used } end

  -- The form: 1, window, used; before it was a text of the two.
  local function read(text)
    if #text == 17 and byte(text) == 1 then return unpackBytes('<dd', text, 2) end
    local window, used = match(text, '^(%d+) (%d+)$')
    return tonumber(window), tonumber(used)
  end

  function counter.parse(text, windowMs)
    local window, used = read(text)
    if not window then return nil end
    return { window = window, used = used, expires = used > 0 and (window + 1) * windowMs, change = false }
  end

  function counter.text(s) return pack('<Bdd', 1, s.window, s.used) end

  function counter.prepare(shape)
    local ends = (shape.window + 1) * shape.windowMs - now
    shape.slot, shape.reset, shape.valid = shape.window, ends, min(shape.leaseMs, ends - 1, shape.windowMs)
  end

  function counter.chargeInPlace(key, text, shape, amount)
    if #text ~= 17 then return nil end
    local form, window, before = unpackBytes('<Bdd', text)
    local used = before + amount
    if form ~= 1 or window ~= shape.slot or before == 0 or used > shape.limit then return nil end
    call('SETRANGE', key, '9', pack('<d', used))
    return shape.limit - used
  end

  function counter.charge(s, shape, amount, slot)
    local windowMs, window = shape.windowMs, shape.window
    if window > s.window then
      s.window, s.used = window, 0
    elseif s.window > window + 1 then
      s.window, s.healed = window, true
    end
    window = s.window
    local ends = (window + 1) * windowMs - now
    local longest = ends - 1
    if longest > windowMs then longest = windowMs end
    return chargeWindow(s, shape, amount, slot, window, ends, longest)
  end

  return counter
end
`;

const FIRST_USE_WINDOW = `
function make.firstUseWindow()
  local counter = {}

  function counter.create() return { start = 0, used = 0, epoch = 0 } end
  function counter.copy(s) return { start = s.start, used = s.used, epoch = s.epoch } end

  function counter.parse(text, windowMs)
    local start, used, epoch = match(text, '^(%d+) (%d+) (%d+)$')
    if not start then return nil end
    start, used = tonumber(start), tonumber(used)
    return { start = start, used = used, epoch = tonumber(epoch), expires = used > 0 and start + windowMs }
  end

  function counter.text(s) return format('%d %d %d', s.start, s.used, s.epoch) end

  function counter.charge(s, shape, amount, slot)
    local windowMs = shape.windowMs
    if now >= s.start + windowMs then
      s.used = 0
    elseif s.start > now + windowMs then
      s.start, s.healed = now, true
    end
    local ends, isUnused = windowMs, s.used == 0
    if not isUnused then ends = s.start + windowMs - now end
    local granted, remaining, reset, retry, valid = chargeWindow(s, shape, amount, slot, s.epoch, ends, ends - 1)
    if isUnused and granted > 0 then s.start, s.epoch = now, max(now, s.epoch) end
    return granted, remaining, reset, retry, valid, s.epoch
  end

  return counter
end
`;

const CALENDAR_PERIOD = `
function make.calendarPeriod()
  local counter = {}

  function counter.create() return { start = 0, ends = 0, used = 0 } end
  function counter.copy(s) return { start = s.start, ends = s.ends, used = s.used } end

  function counter.parse(text)
    local start, ends, used = match(text, '^(%d+) (%d+) (%d+)$')
    if not start then return nil end
    ends, used = tonumber(ends), tonumber(used)
    return { start = tonumber(start), ends = ends, used = used, expires = used > 0 and ends }
  end

  function counter.text(s) return format('%d %d %d', s.start, s.ends, s.used) end

  function counter.charge(s, shape, amount, slot)
    local bounds = shape.bounds
    local start, finish = bounds[2], bounds[3]
    if now < bounds[2] then
      start, finish = bounds[1], bounds[2]
    elseif now >= bounds[3] then
      start, finish = bounds[3], bounds[4]
    end
    if start >= s.ends then
      s.start, s.ends, s.used = start, finish, 0
    elseif s.start > finish then
      s.start, s.ends, s.healed = start, finish, true
    end
    local within = now
    if now < start or now >= finish then within = start end
    local ends = s.ends - within
    return chargeWindow(s, shape, amount, slot, s.start, ends, ends - 1)
  end

  return counter
end
`;

const ALLOCATION = `
function make.allocation()
  local counter = {}

  function counter.create() return { used = 0, epoch = 0, touched = 0 } end
  function counter.copy(s) return { used = s.used, epoch = s.epoch, touched = s.touched } end

  function counter.parse(text)
    local used, epoch, touched = match(text, '^(%d+) (%d+) (%d+)$')
    return used and { used = tonumber(used), epoch = tonumber(epoch), touched = tonumber(touched) }
  end

  function counter.text(s) return format('%d %d %d', s.used, s.epoch, s.touched) end

  function counter.charge(s, shape, amount, slot)
    local idle = now - s.touched
    if idle >= ${ALLOCATION_IDLE_MS} then s.used = 0 end
    local isUnused = s.used == 0
    local granted, remaining, reset, retry, valid =
      chargeWindow(s, shape, amount, slot, s.epoch, ${ALLOCATION_IDLE_MS}, shape.leaseMs)
    if isUnused and granted > 0 then s.epoch = max(now, s.epoch) end
    if granted ~= 0 then
      s.touched = now
    elseif s.used > 0 and (idle >= ${ALLOCATION_TOUCH_MS} or idle < 0) then
      s.touched, s.healed = now, true
    end
    if s.used > 0 then reset = s.touched + ${ALLOCATION_IDLE_MS} - now end
    if granted == 0 and amount > 0 then retry = ${ALLOCATION_RETRY_MS} end
    return granted, remaining, reset, retry, valid, s.epoch
  end

  return counter
end
`;

/** Makes the counters fixedWindow, firstUseWindow, calendarPeriod and allocation. */
export const WINDOW_COUNTERS = [SHARED, FIXED_WINDOW, FIRST_USE_WINDOW, CALENDAR_PERIOD, ALLOCATION].join("");
