/// The values of one metric at one instant, for `MetricsRegistry.collection`.
public struct MetricSnapshot: Sendable, Hashable {
    public enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    public enum Value: Sendable, Hashable {
        case number(Double)
        /// `buckets` are counts of their own (not summed up), one per bound and one for what is beyond the last.
        case distribution(bounds: [Double], buckets: [UInt64], sum: Double)
    }

    /// One series: the label values in the order of the labels.
    public struct Sample: Sendable, Hashable {
        public var labelValues: [String]
        public var value: Value

        public init(labelValues: [String] = [], value: Value) {
            self.labelValues = labelValues
            self.value = value
        }
    }

    public var name: String
    public var help: String
    public var kind: Kind
    public var labels: [String]
    public var samples: [Sample]

    public init(name: String, help: String, kind: Kind, labels: [String] = [], samples: [Sample]) {
        self.name = name
        self.help = help
        self.kind = kind
        self.labels = labels
        self.samples = samples
    }
}
