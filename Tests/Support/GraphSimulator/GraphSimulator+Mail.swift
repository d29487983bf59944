import Foundation
import Synchronization
import TandemJSON
import VendorSimulator

extension GraphSimulator {
    func routed(_ request: VendorRequest, _ scopes: Set<String>) -> VendorAnswer {
        let parts = request.path.split(separator: "/").map(String.init)
        guard parts.count >= 2, parts[0] == "v1.0", parts[1] == "me" else {
            return refuse("\(request.path) is nothing here", 404)
        }
        let rest = Array(parts.dropFirst(2)) + ["", "", "", ""]
        let count = parts.count - 2
        let body = request.json ?? [:]
        func allowed(_ needed: [String], _ answer: () -> VendorAnswer) -> VendorAnswer {
            guard !scopes.isDisjoint(with: needed) else {
                return Self.error(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
            }
            return answer()
        }
        let calendar = ["Calendars.Read", "Calendars.ReadWrite"]
        let planning = ["Calendars.ReadWrite"]
        let mail = ["Mail.Read", "Mail.ReadWrite"]
        let writing = ["Mail.ReadWrite"]
        let sending = ["Mail.Send"]
        switch (request.method, count, rest[0], rest[2]) {
        case ("GET", 0, _, _):
            return .json(
                200,
                Self.selected(
                    [
                        "displayName": "Me Sample", "mail": .string(address), "userPrincipalName": .string(address),
                        "jobTitle": .null, "id": "00000000-0000-4000-8000-000000000099",
                    ], request))
        case ("GET", 1, "calendarView", _): return allowed(calendar) { calendarView(request) }
        case ("GET", 2, "calendarView", _) where rest[1] == "delta": return allowed(calendar) { calendarDelta(request) }
        case ("POST", 2, "calendar", _) where rest[1] == "getSchedule": return allowed(calendar) { getSchedule(body) }
        case ("POST", 1, "events", _): return allowed(planning) { createEvent(body) }
        case ("GET", 2, "events", _): return allowed(calendar) { getEvent(rest[1], request) }
        case ("PATCH", 2, "events", _): return allowed(planning) { patchEvent(rest[1], body) }
        case ("DELETE", 2, "events", _): return allowed(planning) { deleteEvent(rest[1]) }
        case ("POST", 3, "events", "accept"), ("POST", 3, "events", "decline"),
            ("POST", 3, "events", "tentativelyAccept"):
            return allowed(planning) { respond(rest[1], rest[2], body) }
        case ("POST", 3, "events", "cancel"):
            return allowed(planning) { deleteEvent(rest[1], cancelling: body["comment"]?.stringValue ?? "") }
        case ("GET", 1, "mailFolders", _):
            let folders: [JSON] = state.withLock { state in
                state.folders.map { ["id": .string($0.id), "displayName": .string($0.name)] }
            }
            return allowed(mail) { page(folders, request, size: min(Int(request.first("$top") ?? "10") ?? 10, 100)) }
        case ("GET", 3, "mailFolders", "messages"): return allowed(mail) { list(request, folder: rest[1]) }
        case ("GET", 4, "mailFolders", "messages"): return allowed(mail) { mailDelta(request, folder: rest[1]) }
        case ("GET", 1, "messages", _): return allowed(mail) { list(request, folder: nil) }
        case ("POST", 1, "messages", _): return allowed(writing) { createDraft(body, "") }
        case ("GET", 2, "messages", _): return allowed(mail) { get(rest[1], request) }
        case ("PATCH", 2, "messages", _): return allowed(writing) { patch(rest[1], body) }
        case ("GET", 3, "messages", "attachments"):
            return allowed(mail) {
                guard let message = state.withLock({ $0.messages[rest[1]] }) else { return Self.notFound }
                return page(message.attachments, request, size: 100)
            }
        case ("POST", 3, "messages", "move"): return allowed(writing) { move(rest[1], body) }
        case ("POST", 3, "messages", "createReply"): return allowed(writing) { createReply(rest[1], body) }
        case ("POST", 3, "messages", "send"): return allowed(sending) { send(rest[1]) }
        case ("POST", 3, "messages", "forward"): return allowed(sending) { forward(rest[1], body) }
        default: return refuse("\(request.method) \(request.path) is nothing here", 404)
        }
    }

    private func list(_ request: VendorRequest, folder: String?) -> VendorAnswer {
        let filter = request.first("$filter")
        let search = request.first("$search")
        let order = request.first("$orderby")
        if search != nil, filter != nil || order != nil {
            return refuse("$search goes with no $filter and no $orderby", 400)
        }
        if let order, let filter, !filter.hasPrefix(order.split(separator: " ").first.map(String.init) ?? "") {
            // "A property in $orderby must also come first in $filter."
            state.withLock { $0.refusals.append("an inefficient filter") }
            return Self.error(
                400, "InefficientFilter", "The restriction or sort order is too complex for this operation.")
        }
        if let search, !(search.hasPrefix("\"") && search.hasSuffix("\"") && search.count > 2) {
            return refuse("$search stands in quotes", 400)
        }
        let words = search.map { $0.dropFirst().dropLast().lowercased().split(separator: " ").map(String.init) } ?? []
        var messages = state.withLock { Array($0.messages.values) }
        messages = messages.filter { message in
            if let folder, message.folder != folder { return false }
            let text = "\(JSON.object(message.json).text)".lowercased()
            guard words.allSatisfy(text.contains) else { return false }
            for condition in (filter ?? "").components(separatedBy: " and ") where !condition.isEmpty {
                let parts = condition.split(separator: " ", maxSplits: 2).map(String.init)
                guard parts.count == 3 else { return false }
                switch (parts[0], parts[1]) {
                case ("receivedDateTime", "ge"):
                    if message.date < GraphClock.instant(parts[2], zone: "UTC") ?? 0 { return false }
                case ("internetMessageId", "eq"):
                    let wanted = parts[2].filter { $0 != "'" }
                    if message.json["internetMessageId"]?.stringValue != wanted { return false }
                case ("isRead", "eq"): if message.json["isRead"] != .bool(parts[2] == "true") { return false }
                case ("flag/flagStatus", "eq"):
                    let wanted = parts[2].filter { $0 != "'" }
                    if message.json["flag"]?["flagStatus"]?.stringValue != wanted { return false }
                default: return false
                }
            }
            return true
        }
        messages.sort { ($0.date, $0.id) > ($1.date, $1.id) }
        return page(
            messages.map { .object($0.json) }, request, size: min(Int(request.first("$top") ?? "10") ?? 10, 1000))
    }

    private func mailDelta(_ request: VendorRequest, folder: String) -> VendorAnswer {
        guard let since = since(request) else { return Self.staleToken }
        let from =
            request.first("$filter").flatMap { $0.components(separatedBy: " ge ").last }.flatMap {
                GraphClock.instant($0, zone: "UTC")
            } ?? 0
        let messages = state.withLock { state in
            state.messages.values.filter { $0.serial > since && $0.folder == folder && $0.date >= from }
                .sorted { ($0.date, $0.id) > ($1.date, $1.id) }
        }
        return changes(messages.map { .object($0.json) } + removed(since, isEvent: false), request)
    }

    private func get(_ id: String, _ request: VendorRequest) -> VendorAnswer {
        guard let message = state.withLock({ $0.messages[id] }) else { return Self.notFound }
        return .json(200, Self.selected(.object(message.json), request))
    }

    private func patch(_ id: String, _ body: JSON) -> VendorAnswer {
        state.withLock { state in
            guard var message = state.messages[id] else { return Self.notFound }
            for (name, value) in body.objectValue ?? [:] { message.json[name] = value }
            state.serial += 1
            message.serial = state.serial
            state.messages[id] = message
            return .json(200, .object(message.json))
        }
    }

    private func move(_ id: String, _ body: JSON) -> VendorAnswer {
        state.withLock { state in
            guard var message = state.messages[id] else { return Self.notFound }
            guard let folder = body["destinationId"]?.stringValue, state.folders.contains(where: { $0.id == folder })
            else {
                state.refusals.append("no such folder")
                return Self.error(404, "ErrorItemNotFound", "The specified folder could not be found in the store.")
            }
            let old = message.folder
            message.folder = folder
            message.json["parentFolderId"] = .string(folder)
            state.serial += 1
            message.serial = state.serial
            state.messages[id] = message
            if old == "inbox" { state.removed.append((id, state.serial, false)) }
            return .json(201, .object(message.json))
        }
    }

    private func recipients(_ json: JSON?) -> [String] {
        (json?.arrayValue ?? []).compactMap { $0["emailAddress"]?["address"]?.stringValue }
    }

    private func createDraft(_ given: JSON, _ text: String) -> VendorAnswer {
        guard recipients(given["toRecipients"]).allSatisfy({ $0.contains("@") }) else {
            return Self.error(400, "ErrorInvalidRecipients", "At least one recipient isn't valid.")
        }
        return state.withLock { state in
            state.serial += 1
            let id = "AAMkDRAFT\(state.serial)="
            var json = given.objectValue ?? [:]
            json["id"] = .string(id)
            json["isDraft"] = true
            json["isRead"] = true
            json["internetMessageId"] = .string("<\(state.serial).draft@contoso.example>")
            json["receivedDateTime"] = .string(Self.stamp(now()))
            json["bodyPreview"] = .string(String((given["body"]?["content"]?.stringValue ?? text).prefix(200)))
            json["from"] = ["emailAddress": ["name": "Me Sample", "address": .string(address)]]
            json["conversationId"] = given["conversationId"] ?? .string("AAQk\(state.serial)=")
            json["parentFolderId"] = "drafts"
            json["flag"] = ["flagStatus": "notFlagged"]
            state.messages[id] = Message(
                id: id, json: json, folder: "drafts", date: now(), attachments: [], serial: state.serial)
            return .json(201, .object(json))
        }
    }

    private func createReply(_ id: String, _ body: JSON) -> VendorAnswer {
        guard let message = state.withLock({ $0.messages[id] }) else { return Self.notFound }
        if body["comment"] != nil, body["message"]?["body"] != nil {
            return refuse("either a comment or a body", 400)
        }
        var given: JSONObject = [
            "subject": .string("Re: " + (message.json["subject"]?.stringValue ?? "")),
            "body": ["contentType": "text", "content": body["comment"] ?? ""],
            "conversationId": message.json["conversationId"] ?? "",
            "toRecipients": message.json["replyTo"]?.arrayValue?.isEmpty == false
                ? message.json["replyTo"] ?? [] : [message.json["from"] ?? [:]],
        ]
        for (name, value) in body["message"]?.objectValue ?? [:] { given[name] = value }
        return createDraft(.object(given), "")
    }

    private func send(_ id: String) -> VendorAnswer {
        state.withLock { state in
            guard var message = state.messages[id] else { return Self.notFound }
            guard message.json["isDraft"] == true else {
                state.refusals.append("a mail that is no draft was sent")
                return Self.error(400, "ErrorInvalidRequest", "The message is not a draft.")
            }
            let to = recipients(message.json["toRecipients"]) + recipients(message.json["ccRecipients"])
            guard !to.isEmpty else {
                return Self.error(400, "ErrorInvalidRecipients", "At least one recipient isn't valid.")
            }
            // With immutable ids it keeps its id.
            message.json["isDraft"] = false
            message.folder = "sentitems"
            message.json["parentFolderId"] = "sentitems"
            state.serial += 1
            message.serial = state.serial
            state.messages[id] = message
            state.notices.append(
                Notice(kind: "mail", to: to, text: message.json["body"]?["content"]?.stringValue ?? ""))
            return VendorAnswer(status: 202)
        }
    }

    private func forward(_ id: String, _ body: JSON) -> VendorAnswer {
        state.withLock { state in
            guard let original = state.messages[id] else { return Self.notFound }
            let to = recipients(body["toRecipients"])
            guard !to.isEmpty else {
                return Self.error(400, "ErrorInvalidRecipients", "At least one recipient isn't valid.")
            }
            state.serial += 1
            let sent = "AAMkSENT\(state.serial)="
            var json = original.json
            json["id"] = .string(sent)
            json["subject"] = .string("FW: " + (json["subject"]?.stringValue ?? ""))
            json["internetMessageId"] = .string("<\(state.serial).sent@contoso.example>")
            json["toRecipients"] = body["toRecipients"] ?? []
            json["from"] = ["emailAddress": ["name": "Me Sample", "address": .string(address)]]
            json["receivedDateTime"] = .string(Self.stamp(now()))
            json["parentFolderId"] = "sentitems"
            state.messages[sent] = Message(
                id: sent, json: json, folder: "sentitems", date: now(), attachments: [], serial: state.serial)
            state.notices.append(Notice(kind: "forward", to: to, text: body["comment"]?.stringValue ?? ""))
            return VendorAnswer(status: 202)
        }
    }
}
