import TandemJSON

/// The routes as one page to read: no script, nothing from elsewhere.
enum DocumentationPage {
    static func html(_ routes: [APIRoute], version: String) -> [UInt8] {
        var page = """
            <!doctype html><html lang="en"><head><meta charset="utf-8"><title>Tandem: the REST interface</title>
            <meta name="viewport" content="width=device-width, initial-scale=1"><style>\(style)</style></head><body><main>
            <h1>Tandem <small>\(escaped(version))</small></h1>
            <p>The REST interface, generated from the declarations that serve it; for programs:
            <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
            <p>Sign in with <code>POST /api/v1/auth/login</code> and send the access token as
            <code>Authorization: Bearer</code>. Ids are decimal strings, instants RFC 3339 in UTC. Lists come in pages:
            <code>next_cursor</code> is the <code>cursor</code> of the next one. A <code>PATCH</code> says with
            <code>If-Match</code> which version it changes. <code>Idempotency-Key</code> makes a <code>POST</code> safe to
            send again.</p><nav>
            """
        var tags: [String] = []
        for route in routes where !tags.contains(route.tag) { tags.append(route.tag) }
        for tag in tags { page += "<a href=\"#\(anchor(tag))\">\(escaped(tag))</a> " }
        page += "<a href=\"#problems\">Errors</a></nav>"
        for tag in tags {
            page += "<h2 id=\"\(anchor(tag))\">\(escaped(tag))</h2>"
            for route in routes where route.tag == tag { page += section(route) }
        }
        page += "<h2 id=\"problems\">Errors</h2><p>As <code>application/problem+json</code> (RFC 9457); the "
        page += "<code>type</code> is stable.</p><dl>"
        for kind in ProblemKind.all where kind != .internalError {
            page += "<dt id=\"problem-\(kind.name)\"><code>\(kind.status)</code> \(escaped(kind.title)) "
            page += "<code>\(kind.type)</code></dt><dd>\(text(kind.text))</dd>"
        }
        page += "</dl></main></body></html>\n"
        return Array(page.utf8)
    }

    private static func section(_ route: APIRoute) -> String {
        var html = "<details id=\"\(route.id)\"><summary><code class=\"m\">\(route.method.rawValue)</code> "
        html += "<code>\(escaped(route.path.text))</code> \(escaped(route.summary))</summary>"
        if !route.text.isEmpty { html += "<p>\(text(route.text))</p>" }
        let access = OpenAPIDocument.accessText(route)
        html += "<p>\(access.isEmpty ? "For anybody." : text(access))</p>"
        if !route.parameters.isEmpty {
            html += "<table><tr><th>Parameter</th><th>In</th><th></th></tr>"
            for parameter in route.parameters {
                html += "<tr><td><code>\(escaped(parameter.name))</code>\(parameter.isRequired ? " *" : "")</td>"
                html += "<td>\(parameter.place.rawValue)</td><td>\(text(parameter.text))</td></tr>"
            }
            html += "</table>"
        }
        if let body = route.body {
            html += "<p>Body, at most \(body.maxBytes) bytes:</p><pre>\(escaped(body.example.text))</pre>"
            html += "<details><summary>Schema</summary><pre>\(escaped(body.schema.text))</pre></details>"
        }
        html += "<table><tr><th>Answer</th><th></th></tr>"
        for answer in route.answers { html += "<tr><td>\(answer.status)</td><td>\(text(answer.text))</td></tr>" }
        for kind in route.problems {
            html +=
                "<tr><td>\(kind.status)</td><td><a href=\"#problem-\(kind.name)\">\(escaped(kind.title))</a></td></tr>"
        }
        return html + "</table></details>"
    }

    private static let style = """
        body{font:16px/1.5 system-ui,sans-serif;margin:0;color:#1a1a1a;background:#fff}main{max-width:60rem;margin:auto;\
        padding:1rem}code,pre{font:14px ui-monospace,monospace}pre{background:#f4f4f4;padding:.5rem;overflow:auto}\
        details{border-top:1px solid #ddd;padding:.3rem 0}summary{cursor:pointer}.m{display:inline-block;width:4.5rem;\
        font-weight:600}table{border-collapse:collapse}td,th{text-align:left;padding:.1rem .8rem .1rem 0;\
        vertical-align:top}nav a{margin-right:.6rem}@media(prefers-color-scheme:dark){body{background:#111;color:#eee}\
        pre{background:#222}a{color:#8bf}details{border-color:#333}}
        """

    private static func anchor(_ text: String) -> String { text.lowercased().replacing(" ", with: "-") }

    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// With `code` in backticks.
    private static func text(_ text: String) -> String {
        let parts = escaped(text).split(separator: "`", omittingEmptySubsequences: false)
        return parts.enumerated().map { $0.offset % 2 == 1 ? "<code>\($0.element)</code>" : String($0.element) }
            .joined()
    }
}
