import TandemCore
import TandemJSON
import TandemPluginHost
import TandemStorage

/// A timer or a delivery that is due, taken by this process.
struct PluginJob: Sendable {
    enum Kind: String, Sendable {
        case timer, event

        var table: String { self == .timer ? "plugin_timers" : "plugin_deliveries" }
        /// How often it is tried.
        var attempts: Int { self == .timer ? 5 : 8 }
    }

    /// What one at a time runs of.
    struct Lane: Hashable, Sendable {
        var kind: Kind
        var user: UserID
        var plugin: String
        /// A timer's own id; deliveries to one plugin and person share a lane.
        var timer: RecordID?
    }

    var kind: Kind
    var id: RecordID
    var scope: UserScope
    var plugin: String
    var handler: String
    var attempts: Int
    /// The journal's turn of what the handler writes.
    var turn: RecordID
    /// An earlier attempt may have written under that turn.
    var wasTried: Bool
    var nextAt: Timestamp
    /// `{"timer":…}` or `{"event":…}`, without the data.
    var arguments: JSONObject
    var sealedData: [UInt8]
    var eventDepth: Int
    /// Of a timer: the occurrence that fires, and its schedule.
    var occurrence = 0
    /// Earlier occurrences at which it could not fire.
    var missed = 0
    var schedule: TimerSchedule?
    /// Of a delivery.
    var publishedAt: Timestamp?

    var origin: WriteOrigin { WriteOrigin(turn: turn, step: 0) }
    var lane: Lane { Lane(kind: kind, user: scope.user, plugin: plugin, timer: kind == .timer ? id : nil) }

    /// The same for every attempt at the same firing or delivery.
    var idempotencyKey: String { "\(kind.rawValue)/\(id)/\(occurrence)" }
}
