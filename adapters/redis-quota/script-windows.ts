// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ALLOCATION_IDLE_MS, ALLOCATION_RETRY_MS, ALLOCATION_TOUCH_MS } from "../../plugins/sdk/index.ts";

/**
 * Further counters in Lua, in the form that script-counters.ts describes;
 * core/quota/counting/first-use-window.ts, calendar-period.ts, sliding-log.ts and allocation.ts document them.
 */
export const FIRST_USE_WINDOW = `
local firstUseWindow = {}

function firstUseWindow.create() return { start = 0, used = 0, epoch = 0 } end
function firstUseWindow.copy(s) return { start = s.start, used = s.used, epoch = s.epoch } end

function firstUseWindow.parse(text)
  local start, used, epoch = string.match(text, '^(%d+) (%d+) (%d+)$')
  return start and { start = tonumber(start), used = tonumber(used), epoch = tonumber(epoch) }
end

function firstUseWindow.text(s) return format('%d %d %d', s.start, s.used, s.epoch) end

function firstUseWindow.charge(s, limit, windowMs, amount, least, leaseMs, slot)
  if now >= s.start + windowMs then
    s.used = 0
  elseif s.start > now + windowMs then
    s.start, s.healed = now, true
  end
  local ends = windowMs
  if s.used > 0 then ends = s.start + windowMs - now end
  local granted, retry, valid, reset = 0, 0, 0, 0
  if amount < 0 then
    if slot == s.epoch then granted = 0 - min(0 - amount, s.used) end
  elseif amount > 0 then
    local free = max(0, limit - s.used)
    if least <= free then
      granted = min(amount, free)
      valid = min(leaseMs, ends - 1)
      if s.used == 0 then s.start, s.epoch = now, max(now, s.epoch) end
    elseif least > limit then
      retry = windowMs
    else
      retry = ends
    end
  end
  s.used = s.used + granted
  if s.used > 0 then reset = ends end
  return granted, max(0, limit - s.used), reset, retry, valid, s.epoch
end
`;

export const CALENDAR_PERIOD = `
local calendarPeriod = {}

function calendarPeriod.create() return { start = 0, ends = 0, used = 0 } end
function calendarPeriod.copy(s) return { start = s.start, ends = s.ends, used = s.used } end

function calendarPeriod.parse(text)
  local start, ends, used = string.match(text, '^(%d+) (%d+) (%d+)$')
  return start and { start = tonumber(start), ends = tonumber(ends), used = tonumber(used) }
end

function calendarPeriod.text(s) return format('%d %d %d', s.start, s.ends, s.used) end

function calendarPeriod.charge(s, limit, windowMs, amount, least, leaseMs, slot, period)
  local start, finish = period[2], period[3]
  if now < period[2] then
    start, finish = period[1], period[2]
  elseif now >= period[3] then
    start, finish = period[3], period[4]
  end
  if start >= s.ends then
    s.start, s.ends, s.used = start, finish, 0
  elseif s.start > finish then
    s.start, s.ends, s.healed = start, finish, true
  end
  local within = now
  if now < start or now >= finish then within = start end
  local ends = s.ends - within
  local granted, retry, valid, reset = 0, 0, 0, 0
  if amount < 0 then
    if slot == s.start then granted = 0 - min(0 - amount, s.used) end
  elseif amount > 0 then
    local free = max(0, limit - s.used)
    if least <= free then
      granted = min(amount, free)
      valid = min(leaseMs, ends - 1)
    elseif least > limit then
      retry = windowMs
    else
      retry = ends
    end
  end
  s.used = s.used + granted
  if s.used > 0 then reset = ends end
  return granted, max(0, limit - s.used), reset, retry, valid, s.start
end
`;

/** Texts have each moment as its distance from the one before, which makes them half as long. */
export const SLIDING_LOG = `
local slidingLog = {}

function slidingLog.create() return { times = {}, counts = {}, used = 0 } end

function slidingLog.copy(s)
  local times, counts = {}, {}
  for i = 1, #s.times do times[i], counts[i] = s.times[i], s.counts[i] end
  return { times = times, counts = counts, used = s.used }
end

function slidingLog.parse(text)
  if string.find(text, '[^%d ]') then return nil end
  local times, counts, used, at, i = {}, {}, 0, 0, 0
  for distance, count in string.gmatch(text, '(%d+) (%d+)') do
    i = i + 1
    at = at + tonumber(distance)
    times[i], counts[i] = at, tonumber(count)
    used = used + counts[i]
  end
  return { times = times, counts = counts, used = used }
end

function slidingLog.text(s)
  local texts, at = {}, 0
  for i = 1, #s.times do
    texts[i] = format('%d %d', s.times[i] - at, s.counts[i])
    at = s.times[i]
  end
  return table.concat(texts, ' ')
end

local function forgetOld(s, windowMs)
  local old, entries = 0, #s.times
  while old < entries and s.times[old + 1] + windowMs <= now do
    old = old + 1
    s.used = s.used - s.counts[old]
  end
  if old > 0 then
    local times, counts = {}, {}
    for i = old + 1, entries do times[i - old], counts[i - old] = s.times[i], s.counts[i] end
    s.times, s.counts = times, counts
  end
  local farthest = now + windowMs
  if s.used > 0 and s.times[#s.times] > farthest then
    s.times, s.counts, s.healed = { farthest }, { s.used }, true
  end
end

local function lastUpTo(times, at)
  local low, high = 1, #times + 1
  while low < high do
    local middle = floor((low + high) / 2)
    if times[middle] <= at then low = middle + 1 else high = middle end
  end
  return low - 1
end

function slidingLog.charge(s, limit, windowMs, amount, least, leaseMs, slot)
  forgetOld(s, windowMs)
  local times, counts = s.times, s.counts
  local granted, retry, valid, reset = 0, 0, 0, 0
  if amount < 0 then
    local i = lastUpTo(times, slot)
    if times[i] == slot then
      granted = 0 - min(counts[i], 0 - amount)
      counts[i] = counts[i] + granted
      if counts[i] == 0 then
        table.remove(times, i)
        table.remove(counts, i)
      end
    end
  else
    local lease = min(leaseMs, windowMs)
    slot = now + lease
    local free = max(0, limit - s.used)
    if amount == 0 then
      granted = 0
    elseif least <= free then
      granted, valid = min(amount, free), lease
      local i = lastUpTo(times, slot)
      if times[i] == slot then
        counts[i] = counts[i] + granted
      else
        table.insert(times, i + 1, slot)
        table.insert(counts, i + 1, granted)
      end
    elseif least > limit then
      retry = windowMs
    else
      local missing, i = least - (limit - s.used), 1
      while missing > counts[i] do
        missing = missing - counts[i]
        i = i + 1
      end
      retry = times[i] + windowMs - now
    end
  end
  s.used = s.used + granted
  if s.used > 0 then reset = times[#times] + windowMs - now end
  return granted, max(0, limit - s.used), reset, retry, valid, slot
end
`;

export const ALLOCATION = `
local allocation = {}

function allocation.create() return { used = 0, epoch = 0, touched = 0 } end
function allocation.copy(s) return { used = s.used, epoch = s.epoch, touched = s.touched } end

function allocation.parse(text)
  local used, epoch, touched = string.match(text, '^(%d+) (%d+) (%d+)$')
  return used and { used = tonumber(used), epoch = tonumber(epoch), touched = tonumber(touched) }
end

function allocation.text(s) return format('%d %d %d', s.used, s.epoch, s.touched) end

function allocation.charge(s, limit, windowMs, amount, least, leaseMs, slot)
  local idle = now - s.touched
  if idle >= ${ALLOCATION_IDLE_MS} then s.used = 0 end
  local granted, retry, valid, reset = 0, 0, 0, 0
  if amount < 0 then
    if slot == s.epoch then granted = 0 - min(0 - amount, s.used) end
  elseif amount > 0 then
    local free = max(0, limit - s.used)
    if least <= free then
      granted, valid = min(amount, free), leaseMs
      if s.used == 0 then s.epoch = max(now, s.epoch) end
    else
      retry = ${ALLOCATION_RETRY_MS}
    end
  end
  s.used = s.used + granted
  if granted ~= 0 then
    s.touched = now
  elseif s.used > 0 and (idle >= ${ALLOCATION_TOUCH_MS} or idle < 0) then
    s.touched, s.healed = now, true
  end
  if s.used > 0 then reset = s.touched + ${ALLOCATION_IDLE_MS} - now end
  return granted, max(0, limit - s.used), reset, retry, valid, s.epoch
end
`;
