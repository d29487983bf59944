import TandemAgent
import TandemCache
import TandemCore

/// Tells other processes whose turns wait.
struct SharedTurnNews: TurnNews {
    private static let channel = "turns"
    let shared: SharedState

    func tell(_ user: UserID) { shared.news.publish(Array(user.description.utf8), on: Self.channel) }

    func listen(_ receiver: @escaping @Sendable (UserID?) -> Void) -> any Sendable {
        shared.news.subscribe(to: Self.channel) { news in
            switch news {
            case .message(let bytes): receiver(UserID(String(decoding: bytes, as: UTF8.self)))
            case .gap: receiver(nil)
            }
        }
    }
}
