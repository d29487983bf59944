import TandemAccounts
import TandemAgent
import TandemCore
import TandemOAuth
import TandemPluginHost
import TandemSMS
import TandemStorage

/// Plugins pause while their connection is lost, the person hears of it once, and they go on when it is back.
struct PausedPlugins: ConnectionEvents {
    let late: LateParts
    let database: any Database
    let accounts: Accounts
    let lives: PluginLives

    func lost(_ notice: ConnectionNotice) async throws {
        for plugin in notice.plugins { try await step(.loseConnection, plugin, notice.person) }
        try await send(notice)
    }

    func connected(_ provider: String, plugins: [String], of person: UserScope) async throws {
        guard let host = late.plugins, let connections = late.connections else { return }
        let lost = Set(
            try await connections.connections(of: person).filter { $0.status != .connected }.map(\.provider))
        let demands = try await host.accountDemands(of: person)
        for plugin in plugins {
            guard demands.contains(where: { $0.plugin == plugin && $0.isWaiting }) else {
                try await lives.ready(plugin, in: person)
                continue
            }
            // One that needs two waits for both; those that go on are told by that.
            let isComplete = demands.allSatisfy { $0.plugin != plugin || !lost.contains($0.account.provider) }
            if isComplete { try await step(.reconnect, plugin, person) }
        }
    }

    func disconnected(_ provider: String, plugins: [String], of person: UserScope) async throws {
        for plugin in plugins { try await step(.loseConnection, plugin, person) }
    }

    private func step(_ event: GrantEvent, _ plugin: String, _ person: UserScope) async throws {
        do {
            try await late.plugins?.apply(event, to: plugin, in: person)
        } catch is GrantError {
            // It is off, or gone: nothing waits.
        }
    }

    /// Once for each loss, however often it is told: the outbox keeps one message of a number and ordinal.
    private func send(_ notice: ConnectionNotice) async throws {
        guard let outbox = late.outbox else { return }
        let parts = notice.key.split(separator: "/").compactMap { Int64($0) }
        guard parts.count == 2 else { return }
        guard let phone = try await accounts.phoneForTexts(of: notice.person) else { return }
        let message = OutboundMessage(
            scope: notice.person, turn: RecordID(rawValue: parts[0]),
            // 0 would be the answer to a message that came in.
            ordinal: Int(clamping: parts[1] + 1), address: ReplyAddress(to: phone.number, from: outbox.sender).text,
            text: notice.text)
        try await database.write(notice.person) { try outbox.channel.enqueue(message, in: $0) }
        outbox.channel.wake()
    }
}

extension Accounts {
    /// A number of a person that takes texts, the first one before others.
    func phoneForTexts(of scope: UserScope) async throws -> AccountPhone? {
        let phones = try await phones(of: scope).filter { phone in
            phone.verifiedAt != nil && phone.suspension == nil && !phone.isOptedOut
        }
        return phones.first(where: \.isPrimary) ?? phones.first
    }
}

/// Where messages go that answer nothing.
struct NoticeOutbox: Sendable {
    var channel: any DeliveryChannel
    /// One of our numbers.
    var sender: String
}
