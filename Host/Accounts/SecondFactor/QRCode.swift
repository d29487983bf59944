import CQREncode

/// A QR code (ISO/IEC 18004), made by libqrencode.
public struct QRCode: Sendable, Hashable {
    /// Modules to a side.
    public let size: Int
    private let modules: [Bool]

    /// Nil when the text is empty or does not fit: about 2,300 bytes.
    public init?(_ text: String) {
        guard !text.isEmpty, !text.utf8.contains(0), let code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M) else {
            return nil
        }
        defer { QRcode_free(code) }
        size = Int(code.pointee.width)
        guard let data = code.pointee.data else { return nil }
        modules = (0..<(size * size)).map { data[$0] & 1 == 1 }
    }

    /// Whether a module is dark; false outside.
    public func isDark(_ row: Int, _ column: Int) -> Bool {
        row >= 0 && row < size && column >= 0 && column < size && modules[row * size + column]
    }

    /// An image of `size + 8` units to a side, with the quiet zone that the standard asks for.
    public var svg: String {
        let side = size + 8
        var path = ""
        for row in 0..<size {
            var column = 0
            while column < size {
                let start = column
                while isDark(row, column) { column += 1 }
                if column > start { path += "M\(start + 4) \(row + 4)h\(column - start)v1h-\(column - start)z" }
                column += 1
            }
        }
        return
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(side) \(side)\" shape-rendering=\"crispEdges\">"
            + "<rect width=\"\(side)\" height=\"\(side)\" fill=\"#fff\"/><path d=\"\(path)\" fill=\"#000\"/></svg>"
    }

    /// Two rows of modules to a line of half blocks, for a terminal with light text on dark.
    public var terminal: String {
        var text = ""
        for row in stride(from: -2, to: size + 2, by: 2) {
            for column in -2..<(size + 2) {
                switch (isDark(row, column), isDark(row + 1, column)) {
                case (false, false): text += "█"
                case (false, true): text += "▀"
                case (true, false): text += "▄"
                case (true, true): text += " "
                }
            }
            text += "\n"
        }
        return text
    }
}
