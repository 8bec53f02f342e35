// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The three algorithms in Lua: core/quota/fixed-window.ts, sliding-window.ts and token-bucket.ts say what they do and
 * why it is right. `now` is the server's time. `least` is the smallest amount that is a success. Each has:
 *
 * create() and copy(state); parse(text), nil for what Purser did not write; text(state);
 * charge(state, limit, windowMs, amount, least, leaseMs, slot), which gives a QuotaGrant's six numbers in order.
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

function tokenBucket.create() return { at = now, debt = 0, epoch = now, returnable = 0 } end
function tokenBucket.copy(s) return { at = s.at, debt = s.debt, epoch = s.epoch, returnable = s.returnable } end

function tokenBucket.parse(text)
  local at, debt, epoch, returnable = string.match(text, '^(%d+) (%d+) (%d+) (%d+)$')
  return at and {
    at = tonumber(at), debt = tonumber(debt), epoch = tonumber(epoch), returnable = tonumber(returnable),
  }
end

function tokenBucket.text(s) return format('%d %.0f %d %d', s.at, s.debt, s.epoch, s.returnable) end

function tokenBucket.charge(s, limit, windowMs, amount, least, leaseMs, slot)
  local capacity = limit * windowMs
  if s.at > now + windowMs then
    s.at, s.debt, s.epoch, s.returnable, s.healed = now, capacity, s.epoch + 1, 0, true
  end
  local debt = max(0, min(s.debt, capacity) + (s.at - now) * limit)
  local granted, retry, valid, reset = 0, 0, 0, 0
  if amount < 0 then
    if slot == s.epoch and debt > 0 then
      local returned = min(0 - amount, s.returnable)
      granted = 0 - returned
      s.returnable = s.returnable - returned
      s.debt = s.debt - returned * windowMs
    end
  elseif amount > 0 then
    local spare = (limit - least) * windowMs
    if spare < 0 then
      retry = windowMs
    elseif debt > spare then
      retry = ceil((debt - spare) / limit)
    else
      valid = min(leaseMs, windowMs, floor(spare / limit))
      local owed = max(0, min(s.debt, capacity) + (s.at - now - valid) * limit)
      granted = min(amount, floor(((windowMs - valid) * limit - owed) / windowMs))
      if owed < s.returnable * windowMs then
        s.epoch = max(s.epoch + 1, now)
        s.returnable = 0
      end
      s.at = now + valid
      s.debt = owed + granted * windowMs
      s.returnable = s.returnable + granted
    end
  end
  if granted ~= 0 then debt = max(0, min(s.debt, capacity) + (s.at - now) * limit) end
  if limit > 0 then reset = ceil(debt / limit) elseif s.debt > 0 then reset = windowMs end
  return granted, max(0, floor((capacity - debt) / windowMs)), reset, retry, valid, s.epoch
end
`;
