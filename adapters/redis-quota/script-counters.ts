// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Rate counters in Lua; core/quota/counting/fixed-window.ts, sliding-window.ts and token-bucket.ts document them
 * and their proofs. `now` is the server's time. `least` is the smallest amount that counts as success. Each
 * counter has:
 *
 * create() and copy(state); parse(text), nil for text that Purser did not write; text(state);
 * charge(state, limit, windowMs, amount, least, leaseMs, slot, period), which returns the six numbers of a
 * QuotaGrant in order. `period` is nil, or the four bounds of calendar periods.
 */
export const FIXED_WINDOW = `
local fixedWindow = {}

function fixedWindow.create() return { window = 0, used = 0 } end
function fixedWindow.copy(s) return { window = s.window, used = s.used } end

function fixedWindow.parse(text)
  local window, used = string.match(text, '^(%d+) (%d+)$')
  return window and { window = tonumber(window), used = tonumber(used) }
end

function fixedWindow.text(s) return format('%d %d', s.window, s.used) end

function fixedWindow.charge(s, limit, windowMs, amount, least, leaseMs, slot)
  local window = floor(now / windowMs)
  if window > s.window then
    s.window = window
    s.used = 0
  elseif s.window > window + 1 then
    s.window = window
    s.healed = true
  end
  local ends = (s.window + 1) * windowMs - now
  local granted, retry, valid, reset = 0, 0, 0, 0
  if amount < 0 then
    if slot == s.window then granted = 0 - min(0 - amount, s.used) end
  elseif amount > 0 then
    local free = max(0, limit - s.used)
    if least <= free then
      granted = min(amount, free)
      valid = min(leaseMs, windowMs, ends - 1)
    elseif least > limit then
      retry = windowMs
    else
      retry = ends
    end
  end
  s.used = s.used + granted
  if s.used > 0 then reset = ends end
  return granted, max(0, limit - s.used), reset, retry, valid, s.window
end
`;

export const SLIDING_WINDOW = `
local slidingWindow = {}

function slidingWindow.create() return { slots = {}, counts = {}, used = 0 } end

function slidingWindow.copy(s)
  local slots, counts = {}, {}
  for i = 1, #s.slots do slots[i], counts[i] = s.slots[i], s.counts[i] end
  return { slots = slots, counts = counts, used = s.used }
end

function slidingWindow.parse(text)
  if string.find(text, '[^%d ]') then return nil end
  local slots, counts, used, i = {}, {}, 0, 0
  for slot, count in string.gmatch(text, '(%d+) (%d+)') do
    i = i + 1
    slots[i], counts[i] = tonumber(slot), tonumber(count)
    used = used + counts[i]
  end
  return { slots = slots, counts = counts, used = used }
end

function slidingWindow.text(s)
  local texts = {}
  for i = 1, #s.slots do texts[i] = format('%d %d', s.slots[i], s.counts[i]) end
  return table.concat(texts, ' ')
end

function slidingWindow.charge(s, limit, windowMs, amount, least, leaseMs, slot)
  local slotMs = ceil(windowMs / 32)
  -- A slot is free again at (slot + 1) * slotMs + windowMs.
  local freed = (now - windowMs) / slotMs - 1
  while s.slots[1] and s.slots[1] <= freed do
    table.remove(s.slots, 1)
    s.used = s.used - table.remove(s.counts, 1)
  end
  local slots, counts = s.slots, s.counts
  local farthest = floor((now + windowMs) / slotMs)
  if #slots > 0 and slots[#slots] > farthest then
    slots, counts = { farthest }, { s.used }
    s.slots, s.counts, s.healed = slots, counts, true
  end

  local granted, retry, valid, reset = 0, 0, 0, 0
  if amount < 0 then
    for i = #slots, 1, -1 do
      if slots[i] == slot then
        granted = 0 - min(counts[i], 0 - amount)
        counts[i] = counts[i] + granted
        if counts[i] == 0 then
          table.remove(slots, i)
          table.remove(counts, i)
        end
        break
      end
    end
  else
    local lease = min(leaseMs, windowMs)
    slot = floor((now + lease) / slotMs)
    local free = max(0, limit - s.used)
    if amount == 0 then
      granted = 0
    elseif least <= free then
      granted, valid = min(amount, free), lease
      local i = #slots
      while i >= 1 and slots[i] > slot do i = i - 1 end
      if i >= 1 and slots[i] == slot then
        counts[i] = counts[i] + granted
      else
        table.insert(slots, i + 1, slot)
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
      retry = (slots[i] + 1) * slotMs + windowMs - now
    end
  end
  s.used = s.used + granted
  if s.used > 0 then reset = (slots[#slots] + 1) * slotMs + windowMs - now end
  return granted, max(0, limit - s.used), reset, retry, valid, slot
end
`;

export const TOKEN_BUCKET = `
local tokenBucket = {}

local function debtAt(s, bucket, time) return max(0, bucket.debt + (s.at - time) * bucket.limit) end

local function newEpoch(bucket, time)
  bucket.epoch = max(bucket.epoch + 1, time * 1000)
  bucket.returnable = 0
end

local function bucketOf(s, rests, limit, windowMs)
  local debt, epoch = 0, now * 1000
  for i = 1, #s.buckets do
    local bucket = s.buckets[i]
    if not rests then
      if bucket.limit == limit then return bucket, true end
      debt = max(debt, bucket.debt)
    end
    epoch = max(epoch, bucket.epoch + 1)
  end
  return { limit = limit, debt = min(debt, limit * windowMs), epoch = epoch, returnable = 0 }, false
end

local function bucketsRest(s)
  for _, bucket in ipairs(s.buckets) do
    if debtAt(s, bucket, now) > 0 then return false end
  end
  return true
end

local function addBucket(buckets, added)
  local i = 1
  while buckets[i] and buckets[i].limit < added.limit do i = i + 1 end
  table.insert(buckets, i, added)
  if #buckets > 8 then table.remove(buckets, i == 2 and 3 or 2) end
end

local function take(s, own, granted, windowMs, ends)
  local at = max(s.at, ends)
  for i = 1, #s.buckets do
    local bucket = s.buckets[i]
    local owed = debtAt(s, bucket, at)
    local debt = owed + granted * windowMs
    local capacity = bucket.limit * windowMs
    if bucket.returnable > 0 and (owed < bucket.returnable * windowMs or debt > capacity) then
      newEpoch(bucket, ends)
    end
    bucket.debt = min(debt, capacity)
    if bucket == own then bucket.returnable = bucket.returnable + granted end
  end
  s.at = at
end

function tokenBucket.create() return { at = now, buckets = {} } end

function tokenBucket.copy(s)
  local buckets = {}
  for i, b in ipairs(s.buckets) do
    buckets[i] = { limit = b.limit, debt = b.debt, epoch = b.epoch, returnable = b.returnable }
  end
  return { at = s.at, buckets = buckets }
end

function tokenBucket.parse(text)
  if string.find(text, '[^%d ]') then return nil end
  local at, rest = string.match(text, '^(%d+)(.*)$')
  if not at then return nil end
  local buckets = {}
  for limit, debt, epoch, returnable in string.gmatch(rest, ' (%d+) (%d+) (%d+) (%d+)') do
    buckets[#buckets + 1] = {
      limit = tonumber(limit), debt = tonumber(debt), epoch = tonumber(epoch), returnable = tonumber(returnable),
    }
  end
  return #buckets > 0 and { at = tonumber(at), buckets = buckets } or nil
end

function tokenBucket.text(s)
  local texts = { format('%d', s.at) }
  for i, b in ipairs(s.buckets) do
    texts[i + 1] = format('%d %.0f %d %d', b.limit, b.debt, b.epoch, b.returnable)
  end
  return table.concat(texts, ' ')
end

function tokenBucket.charge(s, limit, windowMs, amount, least, leaseMs, slot)
  if s.at > now + windowMs then
    s.at, s.healed = now + windowMs, true
    for _, bucket in ipairs(s.buckets) do
      bucket.debt, bucket.epoch, bucket.returnable = bucket.limit * windowMs, bucket.epoch + 1, 0
    end
  end
  local rests = bucketsRest(s)
  local bucket, known = bucketOf(s, rests, limit, windowMs)
  local capacity = limit * windowMs
  local granted, retry, valid, reset = 0, 0, 0, 0
  if amount < 0 then
    if slot == bucket.epoch and debtAt(s, bucket, now) > 0 then
      local returned = min(0 - amount, bucket.returnable)
      granted = 0 - returned
      bucket.returnable = bucket.returnable - returned
      bucket.debt = bucket.debt - returned * windowMs
    end
  elseif amount > 0 then
    local debt = debtAt(s, bucket, now)
    local free = max(0, floor((capacity - debt) / windowMs))
    if least <= free then
      granted, valid = min(amount, free), min(leaseMs, windowMs)
      if rests then s.buckets = {} end
      if not known then addBucket(s.buckets, bucket) end
      take(s, bucket, granted, windowMs, now + valid)
    elseif least > limit then
      retry = windowMs
    else
      retry = ceil((debt - (limit - least) * windowMs) / limit)
    end
  end
  for _, b in ipairs(s.buckets) do reset = max(reset, ceil(debtAt(s, b, now) / b.limit)) end
  local remaining = max(0, floor((capacity - debtAt(s, bucket, now)) / windowMs))
  return granted, remaining, reset, retry, valid, bucket.epoch
end
`;
