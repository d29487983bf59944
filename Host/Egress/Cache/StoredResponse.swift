import TandemCore

/// An answer that was kept, with what RFC 9111 wants to know about it.
struct StoredResponse: Sendable, Hashable {
    var status: Int
    var headers: HTTPHeaders
    var body: [UInt8]
    /// The request's values of the fields that `Vary` names, in lower case; nil: was not sent.
    var varied: [String: String?]
    /// When the answer arrived, milliseconds since 1970.
    var receivedAt: Int64
    /// RFC 9111 §4.2.3, in milliseconds.
    var correctedInitialAge: Int64
    /// How long it is fresh from its making on, in milliseconds.
    var lifetime: Int64
    var control: CacheControl

    static let maxBodyBytes = 1 << 20
    private static let day: Int64 = 86_400_000

    /// Nil when the answer must not or need not be kept.
    ///
    /// - Parameter isForDegradation: it may be of use later although it is stale and cannot be validated.
    init?(
        _ response: HTTPResponse, visible headers: HTTPHeaders, request: HTTPHeaders, sentAt: Int64, receivedAt: Int64,
        isForDegradation: Bool
    ) {
        let control = CacheControl(response.headers)
        guard !control.isNoStore, response.body.count <= Self.maxBodyBytes,
            let varied = Self.varied(response.headers, request)
        else { return nil }
        status = response.status
        self.headers = headers
        body = response.body
        self.varied = varied
        self.receivedAt = receivedAt
        self.control = control
        correctedInitialAge = 0
        lifetime = 0
        update(from: response.headers, sentAt: sentAt, receivedAt: receivedAt)
        let isExplicit = control.maxAgeSeconds != nil || response.headers["expires"] != nil
        guard Self.cacheable.contains(status) || isExplicit && Self.cacheableIfExplicit.contains(status) else {
            return nil
        }
        guard lifetime > 0 || hasValidator || isForDegradation && !control.isNoCache && !control.mustRevalidate else {
            return nil
        }
    }

    /// RFC 9110 §15.1, without partial content and what a proxy answers.
    private static let cacheable: Set<Int> = [200, 203, 204, 300, 301, 308, 404, 405, 410, 414]
    private static let cacheableIfExplicit: Set<Int> = [302, 303, 307, 400, 403]

    /// What `Vary` names, with the request's values; nil for `*`.
    private static func varied(_ response: HTTPHeaders, _ request: HTTPHeaders) -> [String: String?]? {
        var varied: [String: String?] = [:]
        for value in response.all("vary") {
            for part in value.split(separator: ",") {
                let name = part.filter { $0 != " " && $0 != "\t" }.lowercased()
                if name == "*" { return nil }
                // The same in all requests, or part of the key.
                if name.isEmpty || name == "accept-encoding" || name == "authorization" || name == "cookie" { continue }
                varied[name] = .some(combined(request, name))
            }
        }
        return varied
    }

    private static func combined(_ headers: HTTPHeaders, _ name: String) -> String? {
        let all = headers.all(name)
        return all.isEmpty ? nil : all.joined(separator: ", ")
    }

    func fits(_ request: HTTPHeaders) -> Bool {
        varied.allSatisfy { name, value in Self.combined(request, name) == value }
    }

    var hasValidator: Bool { headers["etag"] != nil || headers["last-modified"] != nil }

    /// The fields that ask whether it still holds (RFC 9110 §13.1).
    var conditions: [HTTPHeaders.Field] {
        var fields: [HTTPHeaders.Field] = []
        if let tag = headers["etag"] { fields.append(.init("If-None-Match", tag)) }
        if let date = headers["last-modified"] { fields.append(.init("If-Modified-Since", date)) }
        return fields
    }

    /// Takes over what an answer, also a 304, says about age and freshness.
    private mutating func update(from headers: HTTPHeaders, sentAt: Int64, receivedAt: Int64) {
        let now = Timestamp(millisecondsSinceEpoch: receivedAt)
        let date = headers["date"].flatMap { HTTPDate.parse($0, now: now) }.map { $0 * 1000 } ?? receivedAt
        let apparent = max(0, receivedAt - date)
        let said = (headers["age"].flatMap { CacheControl.seconds($0) } ?? 0) * 1000
        correctedInitialAge = max(apparent, said + max(0, receivedAt - sentAt))
        self.receivedAt = receivedAt
        if let seconds = control.maxAgeSeconds {
            lifetime = seconds * 1000
        } else if let expires = headers["expires"] {
            // What is no date has expired (RFC 9111 §5.3).
            lifetime = max(0, (HTTPDate.parse(expires, now: now) ?? 0) * 1000 - date)
        } else if let modified = headers["last-modified"].flatMap({ HTTPDate.parse($0, now: now) }),
            Self.cacheable.contains(status)
        {
            // RFC 9111 §4.2.2: a tenth of the time since the last change.
            lifetime = min(max(0, date - modified * 1000) / 10, Self.day)
        } else {
            lifetime = 0
        }
    }

    /// The service confirmed it with a 304 (RFC 9111 §4.3.4).
    func confirmed(by response: HTTPHeaders, visible: HTTPHeaders, sentAt: Int64, receivedAt: Int64) -> StoredResponse {
        var updated = self
        var names: Set<String> = []
        for field in visible.fields where !["content-length", "content-encoding", "content-range"].contains(field.name)
        {
            if names.insert(field.name).inserted { updated.headers[field.name] = nil }
            updated.headers.append(field.name, field.value)
        }
        updated.control = CacheControl(updated.headers)
        updated.update(from: updated.headers, sentAt: sentAt, receivedAt: receivedAt)
        return updated
    }

    /// RFC 9111 §4.2.3, in milliseconds.
    func age(now: Int64) -> Int64 { correctedInitialAge + max(0, now - receivedAt) }

    func isFresh(now: Int64) -> Bool { !control.isNoCache && age(now: now) < lifetime }

    /// May be given although it is stale, since the service failed.
    func mayServeStale(now: Int64, allowed: Int64) -> Bool {
        guard !control.isNoCache, !control.mustRevalidate else { return false }
        let limit = max(allowed, (control.staleIfErrorSeconds ?? 0) * 1000)
        return age(now: now) - lifetime <= limit
    }

    var cost: Int {
        body.count + 256 + headers.fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 32 }
    }
}
