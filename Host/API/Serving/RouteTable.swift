/// Finds the route of a method and path.
struct RouteTable: Sendable {
    private struct Place: Sendable {
        var template: PathTemplate
        var routes: [String: APIRoute]

        var allow: String {
            var methods = routes.keys.sorted()
            if methods.contains("GET") { methods.append("HEAD") }
            return methods.joined(separator: ", ")
        }
    }

    private var fixed: [String: Place] = [:]
    private var patterns: [Int: [Place]] = [:]

    init(_ routes: [APIRoute]) {
        for route in routes {
            if !route.path.hasNames {
                fixed[route.path.text, default: Place(template: route.path, routes: [:])].routes[
                    route.method.rawValue] =
                    route
                continue
            }
            var places = patterns[route.path.parts.count] ?? []
            if let index = places.firstIndex(where: { $0.template == route.path }) {
                places[index].routes[route.method.rawValue] = route
            } else {
                places.append(Place(template: route.path, routes: [route.method.rawValue: route]))
            }
            patterns[route.path.parts.count] = places
        }
    }

    func find(_ method: String, _ path: Substring) -> APIService.Target.Kind {
        let wanted = method == "HEAD" ? "GET" : method
        if let place = fixed[String(path)] { return RouteTable.kind(place, wanted, [:]) }
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        for place in patterns[segments.count] ?? [] {
            guard let values = place.template.match(Array(segments)) else { continue }
            var names: [String: String] = [:]
            for (name, value) in zip(place.template.names, values) {
                guard let text = PercentEncoding.decoded(value, plusIsSpace: false) else { return .notFound }
                names[name] = text
            }
            return RouteTable.kind(place, wanted, names)
        }
        return .notFound
    }

    private static func kind(_ place: Place, _ method: String, _ names: [String: String]) -> APIService.Target.Kind {
        guard let route = place.routes[method] else { return .wrongMethod(allow: place.allow) }
        return .route(route, path: names)
    }
}
