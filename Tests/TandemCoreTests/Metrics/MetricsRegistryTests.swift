import TandemCore
import Testing

@Suite struct MetricsRegistryTests {
    let registry = MetricsRegistry(seriesLimit: 3)

    func text() -> String { String(decoding: registry.exposition(), as: UTF8.self) }

    @Test func writesCountersAndGauges() {
        registry.counter("a_total", help: "Things, \\ and\nlines.").increment(by: 3)
        registry.gauge("b", help: "B.").set(1.5)
        registry.gauge("b", help: "B.").add(-2)
        #expect(
            text() == """
                # HELP a_total Things, \\\\ and\\nlines.
                # TYPE a_total counter
                a_total 3
                # HELP b B.
                # TYPE b gauge
                b -0.5

                """)
    }

    @Test func escapesLabelValues() {
        registry.counters("x_total", help: "X.", labels: ["p", "q"]).with("a\"b\\c\nd", "é").increment()
        #expect(text().contains(#"x_total{p="a\"b\\c\nd",q="é"} 1"#))
    }

    @Test func writesCumulativeBuckets() {
        let histogram = registry.histograms("t_seconds", help: "T.", labels: ["k"], bounds: [0.1, 1]).with("v")
        for value in [0.05, 0.1, 0.5, 2, .nan, .infinity] { histogram.observe(value) }
        #expect(
            text() == """
                # HELP t_seconds T.
                # TYPE t_seconds histogram
                t_seconds_bucket{k="v",le="0.1"} 2
                t_seconds_bucket{k="v",le="1"} 3
                t_seconds_bucket{k="v",le="+Inf"} 4
                t_seconds_sum{k="v"} 2.65
                t_seconds_count{k="v"} 4

                """)
    }

    @Test func countsTooManySeriesTogether() {
        let family = registry.counters("n_total", help: "N.", labels: ["id"])
        for index in 0..<100 { family.with("v\(index)").increment() }
        #expect(text().contains("n_total{id=\"other\"} 97"))
        #expect(text().split(separator: "\n").count == 6)
    }

    @Test func masksLabelValues() {
        registry.counters("n_total", help: "N.", labels: ["from"]).with("+15555550123").increment()
        #expect(text().contains("n_total{from=\"[phone]\"} 1"))
    }

    @Test func givesTheSameMetricForTheSameName() {
        registry.counter("s_total", help: "S.").increment()
        registry.counter("s_total", help: "S.").increment()
        #expect(registry.counter("s_total", help: "S.").value == 2)
    }

    @Test func countsEveryIncrementOfManyTasks() async {
        let counter = registry.counter("c_total", help: "C.")
        let histogram = registry.histogram("h", help: "H.")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<10_000 {
                        counter.increment()
                        histogram.observe(0.001)
                    }
                }
            }
        }
        #expect(counter.value == 80_000)
        #expect(histogram.count == 80_000)
    }

    @Test func readsTheProcess() {
        registry.addProcessMetrics()
        #expect(text().contains("process_resident_memory_bytes "))
        #expect(text().contains("process_open_fds "))
        #expect(text().contains("# TYPE process_cpu_seconds_total counter"))
    }

    @Test func trapsWhenANameIsUsedForAnotherKind() async {
        await #expect(processExitsWith: .failure) {
            let registry = MetricsRegistry()
            _ = registry.counter("a_total", help: "A.")
            _ = registry.gauge("a_total", help: "A.")
        }
    }
}
