import Crypto

/// A script that the server runs as one step, known to it by its SHA-1.
struct RedisScript: Sendable {
    let source: String
    let digest: String

    init(_ source: String) {
        self.source = source
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in Insecure.SHA1.hash(data: Array(source.utf8)) {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        digest = String(decoding: text, as: UTF8.self)
    }

    static let all = [take, acquire, extend, release, replace, add]

    /// Takes from all buckets or none. For each key: interval, quota, span (microseconds and units), cost, known, debt.
    /// Answers 1 or 0, then for each key: microseconds taken, whether it has room, microseconds to wait or -1.
    static let take = RedisScript(
        """
        local t = redis.call('TIME')
        local now = t[1] * 1000000 + t[2]
        local stored = redis.call('MGET', unpack(KEYS))
        local run, before, after, out = {}, {}, {}, {1}
        for i, key in ipairs(KEYS) do
          local a = 6 * (i - 1)
          local interval, span = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 3])
          local cost, known, debt = tonumber(ARGV[a + 4]), tonumber(ARGV[a + 5]), tonumber(ARGV[a + 6])
          local full = run[key] or tonumber(stored[i] or '0') or 0
          full = math.min(math.max(full, now + math.max(known, 0) * interval), now + span)
          full = math.min(full + math.max(debt, 0) * interval, now + span)
          before[i] = full
          after[i] = math.max(full + cost * interval, now)
          if cost > 0 and after[i] > now + span then out[1] = 0 end
          run[key] = after[i]
        end
        for i, key in ipairs(KEYS) do
          local a = 6 * (i - 1)
          local quota, span, cost = tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])
          local left = before[i]
          local said = tonumber(ARGV[a + 5]) > 0 or tonumber(ARGV[a + 6]) > 0
          if out[1] == 1 then left = after[i] end
          if out[1] == 1 or said then
            if left > now then
              redis.call('SET', key, string.format('%.0f', left), 'PX', math.ceil((left - now) / 1000) + 1)
            else
              redis.call('DEL', key)
            end
          end
          local room, wait = 1, 0
          if cost > 0 and after[i] > now + span then
            room = 0
            if cost > quota then wait = -1 else wait = after[i] - now - span end
          end
          out[#out + 1] = left - now
          out[#out + 1] = room
          out[#out + 1] = wait
        end
        return out
        """)

    /// Keys: lock, fence. Arguments: owner, milliseconds. Answers the fence, or nil while somebody else has the lock.
    static let acquire = RedisScript(
        """
        local held = redis.call('GET', KEYS[1])
        if held then
          local colon = string.find(held, ':', 1, true)
          if colon and string.sub(held, 1, colon - 1) == ARGV[1] then
            redis.call('PEXPIRE', KEYS[1], ARGV[2])
            return string.sub(held, colon + 1)
          end
          return false
        end
        local t = redis.call('TIME')
        local fence = math.max((tonumber(redis.call('GET', KEYS[2]) or '0') or 0) + 1, t[1] * 1000000 + t[2])
        local text = string.format('%.0f', fence)
        redis.call('SET', KEYS[2], text)
        redis.call('SET', KEYS[1], ARGV[1] .. ':' .. text, 'PX', ARGV[2])
        return text
        """)

    /// Arguments: owner and fence as kept, milliseconds.
    static let extend = RedisScript(
        """
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        return redis.call('PEXPIRE', KEYS[1], ARGV[2])
        """)

    /// Argument: owner and fence as kept.
    static let release = RedisScript(
        """
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        return redis.call('DEL', KEYS[1])
        """)

    /// Arguments: the version expected or nothing, the value with its version, milliseconds.
    static let replace = RedisScript(
        """
        local value = redis.call('GET', KEYS[1])
        if ARGV[1] == '' then
          if value then return 0 end
        elseif not value or string.sub(value, 1, 8) ~= ARGV[1] then
          return 0
        end
        redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
        return 1
        """)

    /// Arguments: amount, milliseconds.
    static let add = RedisScript(
        """
        redis.call('INCRBY', KEYS[1], ARGV[1])
        if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
        return redis.call('GET', KEYS[1])
        """)
}
