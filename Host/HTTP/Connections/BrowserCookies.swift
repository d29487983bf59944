import HTTPTypes
import Hummingbird
import TandemCore

/// What the pages keep in a browser (RFC 6265): who is signed in, and a value that forms repeat, so that no other site's
/// form counts as ours.
struct BrowserCookies {
    /// Over https the names tell the browser to take them only from this host, encrypted.
    let isSecure: Bool

    private var prefix: String { isSecure ? "__Host-" : "" }
    var session: String { prefix + "tandem_session" }
    var form: String { prefix + "tandem_form" }

    /// `Lax`: the service's answer comes from elsewhere, and must find the session.
    func signedIn(_ token: Secret, for seconds: Int64) -> String {
        cookie(session, token.reveal(), "Lax; Max-Age=\(max(seconds, 1))")
    }

    func formValue(_ value: String) -> String { cookie(form, value, "Strict; Max-Age=3600") }

    private func cookie(_ name: String, _ value: String, _ rest: String) -> String {
        "\(name)=\(value); Path=/; HttpOnly\(isSecure ? "; Secure" : ""); SameSite=\(rest)"
    }

    /// The value that the browser sent; nil when it sent none or several.
    func value(_ name: String, in request: Request) -> String? {
        var found: String?
        for field in request.headers[values: .cookie] {
            for part in field.split(separator: ";") {
                let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard pair.count == 2, pair[0].drop(while: { $0 == " " }) == name else { continue }
                if found != nil { return nil }
                found = String(pair[1])
            }
        }
        return found.flatMap { $0.utf8.count <= 4096 && !$0.isEmpty ? $0 : nil }
    }

    /// 128 random bits.
    static func randomValue() -> String {
        let digits = Array("0123456789abcdef".utf8)
        var generator = SystemRandomNumberGenerator()
        let text = (0..<32).map { _ in digits[Int.random(in: 0..<16, using: &generator)] }
        return String(decoding: text, as: UTF8.self)
    }
}
