// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The token bucket in Lua, in the form that script.ts describes; core/quota/counting/token-bucket.ts documents it and its
 * proofs.
 */
export const TOKEN_BUCKET = `
function make.tokenBucket()
  local counter = {}

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
    insert(buckets, i, added)
    if #buckets > 8 then remove(buckets, i == 2 and 3 or 2) end
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

  function counter.create() return { at = now, buckets = {} } end

  function counter.copy(s)
    local buckets = {}
    for i, b in ipairs(s.buckets) do
      buckets[i] = { limit = b.limit, debt = b.debt, epoch = b.epoch, returnable = b.returnable }
    end
    return { at = s.at, buckets = buckets }
  end

  -- The form: 3, lives, at; then for each bucket its debt, epoch, returnable and limit.
  local HEAD_BYTES, BUCKET_BYTES = 17, 32

  local function parseBytes(text)
    local buckets, _, lives, at = {}, unpackBytes('<Bdd', text)
    for from = HEAD_BYTES + 1, #text, BUCKET_BYTES do
      local debt, epoch, returnable, limit = unpackBytes('<dddd', text, from)
      buckets[#buckets + 1] = { limit = limit, debt = debt, epoch = epoch, returnable = returnable }
    end
    return { at = at, buckets = buckets, lives = lives, expires = lives }
  end

  function counter.parse(text)
    if byte(text) == 3 and #text > HEAD_BYTES and (#text - HEAD_BYTES) % BUCKET_BYTES == 0 then
      return parseBytes(text)
    end
    if find(text, '[^%d ]') then return nil end
    local at, rest = match(text, '^(%d+)(.*)$')
    if not at then return nil end
    local buckets = {}
    for limit, debt, epoch, returnable in gmatch(rest, ' (%d+) (%d+) (%d+) (%d+)') do
      buckets[#buckets + 1] = {
        limit = tonumber(limit), debt = tonumber(debt), epoch = tonumber(epoch), returnable = tonumber(returnable),
      }
    end
    return #buckets > 0 and { at = tonumber(at), buckets = buckets } or nil
  end

  function counter.text(s)
    local texts = { pack('<Bdd', 3, s.lives or 0, s.at) }
    for i, b in ipairs(s.buckets) do
      texts[i + 1] = pack('<dddd', b.debt, b.epoch, b.returnable, b.limit)
    end
    return concat(texts)
  end

  function counter.prepare(shape)
    shape.valid = min(shape.leaseMs, shape.windowMs)
    shape.ends, shape.capacity = now + shape.valid, shape.limit * shape.windowMs
  end

  function counter.chargeInPlace(key, text, shape, amount)
    if #text ~= HEAD_BYTES + BUCKET_BYTES then return nil end
    local form, lives, before, debtBefore, epoch, returnable, limit = unpackBytes('<Bdddddd', text)
    local windowMs, capacity, ends = shape.windowMs, shape.capacity, shape.ends
    if form ~= 3 or limit ~= shape.limit or before > now + windowMs then return nil end
    local charged, debt = amount * windowMs, debtBefore + (before - now) * limit
    if debt <= 0 or floor((capacity - debt) / windowMs) < amount then return nil end
    local at = before > ends and before or ends
    local owed = debtBefore + (before - at) * limit
    if owed < 0 then owed = 0 end
    local owes = owed + charged
    if returnable > 0 and (owed < returnable * windowMs or owes > capacity) then
      epoch, returnable = max(epoch + 1, ends * 1000), 0
    end
    if owes > capacity then owes = capacity end
    debt = owes + (at - now) * limit
    local reset = ceil(debt / limit)
    if now + reset > lives then return nil end
    call('SETRANGE', key, '9', pack('<dddd', at, owes, epoch, returnable + amount))
    local remaining = floor((capacity - debt) / windowMs)
    return remaining > 0 and remaining or 0, reset, epoch
  end

  function counter.charge(s, shape, amount, slot)
    local limit, windowMs, least = shape.limit, shape.windowMs, leastOf(shape, amount)
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
        granted, valid = min(amount, free), min(shape.leaseMs, windowMs)
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
    -- Each grant moves the time of being unused: a key that lives longer by an eighth of the window rarely needs a new TTL.
    if granted > 0 and (not s.lives or s.lives < now + reset) then s.lives = now + reset + floor(windowMs / 8) end
    local remaining = max(0, floor((capacity - debtAt(s, bucket, now)) / windowMs))
    return granted, remaining, reset, retry, valid, bucket.epoch
  end

  return counter
end
`;
