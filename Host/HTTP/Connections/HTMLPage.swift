import Crypto
import HTTPTypes
import Hummingbird
import NIOCore

/// Small pages of plain HTML: no script, no picture, nothing from elsewhere, one style sheet that the policy names by its
/// hash.
struct HTMLPage {
    var title: String
    /// Markup; what is not ours in it went through `escaped`.
    var body: String
    var status = 200
    /// Where forms may lead besides this server: `https://login.example.org`.
    var formTargets: [String] = []

    private static let style =
        "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem}"
        + "label{display:block;margin:.8rem 0}input,select,button{font:inherit;padding:.5rem;width:100%;box-sizing:border-box}"
        + "button{margin-top:1rem;cursor:pointer}li{margin:.5rem 0}.note{color:#555}.problem{border-left:.3rem solid;padding-left:.7rem}"

    private static let styleHash: String = Base64Text.encoded(Array(SHA256.hash(data: Array(style.utf8))))

    /// Text between tags and in quoted attributes.
    static func escaped(_ text: some StringProtocol) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    func response(cookies: [String] = []) -> Response {
        let text = """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <meta name="robots" content="noindex"><title>\(HTMLPage.escaped(title))</title>
            <style>\(HTMLPage.style)</style></head>
            <body><h1>\(HTMLPage.escaped(title))</h1>
            \(body)
            </body></html>

            """
        let targets = (["'self'"] + formTargets).joined(separator: " ")
        var headers: HTTPFields = [
            .contentType: "text/html; charset=utf-8",
            .contentSecurityPolicy:
                "default-src 'none'; style-src 'sha256-\(HTMLPage.styleHash)'; form-action \(targets); "
                + "base-uri 'none'; frame-ancestors 'none'",
        ]
        for cookie in cookies { headers.append(HTTPField(name: .setCookie, value: cookie)) }
        return Response(
            status: .init(code: status), headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}

/// RFC 4648 §4.
enum Base64Text {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encoded(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var pool: UInt32 = 0
        var bits: UInt32 = 0
        for byte in bytes {
            pool = pool << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(digits[Int(pool >> bits & 63)])
            }
        }
        if bits > 0 { text.append(digits[Int(pool << (6 - bits) & 63)]) }
        while text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
        return String(decoding: text, as: UTF8.self)
    }
}
