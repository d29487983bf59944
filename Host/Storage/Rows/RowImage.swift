/// All physical columns of a row as bytes, for the journal: a format byte (1), a count, then each value with its type.
enum RowImage {
    static func encode(_ values: [SQLValue]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16 + values.count * 12)
        bytes.append(1)
        append(values.count, to: &bytes)
        for value in values {
            switch value {
            case .null: bytes.append(0)
            case .int(let number):
                bytes.append(1)
                bytes.append(bigEndian: number)
            case .real(let number):
                bytes.append(2)
                bytes.append(bigEndian: Int64(bitPattern: number.bitPattern))
            case .text(let text):
                bytes.append(3)
                append(text.utf8.count, to: &bytes)
                bytes.append(contentsOf: text.utf8)
            case .blob(let blob):
                bytes.append(4)
                append(blob.count, to: &bytes)
                bytes.append(contentsOf: blob)
            }
        }
        return bytes
    }

    private static func append(_ count: Int, to bytes: inout [UInt8]) {
        let value = UInt32(truncatingIfNeeded: count)
        for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    /// Nil when the bytes are no image.
    static func decode(_ bytes: [UInt8]) -> [SQLValue]? {
        var position = 1
        guard bytes.first == 1, let count = read32(bytes, &position), count <= bytes.count else { return nil }
        var values: [SQLValue] = []
        values.reserveCapacity(count)
        for _ in 0..<count {
            guard position < bytes.count else { return nil }
            let kind = bytes[position]
            position += 1
            switch kind {
            case 0: values.append(.null)
            case 1, 2:
                guard position + 8 <= bytes.count else { return nil }
                let bits = bytes[position..<position + 8].reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
                position += 8
                values.append(kind == 1 ? .int(Int64(bitPattern: bits)) : .real(Double(bitPattern: bits)))
            case 3, 4:
                guard let size = read32(bytes, &position), position + size <= bytes.count else { return nil }
                let slice = bytes[position..<position + size]
                position += size
                values.append(kind == 3 ? .text(String(decoding: slice, as: UTF8.self)) : .blob(Array(slice)))
            default: return nil
            }
        }
        return position == bytes.count ? values : nil
    }

    private static func read32(_ bytes: [UInt8], _ position: inout Int) -> Int? {
        guard position + 4 <= bytes.count else { return nil }
        defer { position += 4 }
        return bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
    }

    /// What a row counts for a quota: its texts and bytes, 8 for a number, 32 for the row itself.
    static func size(_ values: [SQLValue]) -> Int {
        var size = 32
        for value in values.dropFirst(UserTable.fixedColumns.count) {
            switch value {
            case .null: break
            case .int, .real: size += 8
            case .text(let text): size += text.utf8.count
            case .blob(let bytes): size += bytes.count
            }
        }
        return size
    }
}
