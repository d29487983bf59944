import Logging
import TandemCore
import TandemEgress
import TandemLanguage
import TandemMemory
import TandemModels
import TandemStorage

/// Who understands what people write: the embedded planner alone, or with models behind it.
struct LanguageParts: Sendable {
    let provider: any LanguageProvider
    /// What is configured, for the status: `gemini (gemini-2.5-flash)`.
    let models: [String]
    /// What models are told.
    let prompts: PromptLibrary
    /// Vectors by a service, where the operator chose one.
    let embedder: (any PersonalEmbedder)?
    private let http: CurlClient?

    /// - Throws: `ApplicationError` when the operator's prompts or prices cannot be used.
    init(
        _ configuration: Configuration, database: any Database, clock: any WallClock, metrics: MetricsRegistry
    ) throws {
        let settings = configuration.models
        var links: [FallbackChain.Link] = []
        var names: [String] = []
        let http = CurlClient(metrics: metrics)
        let limit = Duration.seconds(settings.timeoutSeconds)
        for name in settings.order {
            switch name {
            case "gemini":
                guard let key = configuration.gemini.key else { continue }
                var options = GeminiProvider.Options(
                    key: key, base: configuration.addresses.gemini, model: settings.geminiModel)
                options.timeout = limit
                links.append(
                    FallbackChain.Link(
                        provider: GeminiProvider(options: options, http: http), model: settings.geminiModel,
                        timeLimit: limit))
                names.append("gemini (\(settings.geminiModel))")
            default:
                guard let chat = settings.chat else { continue }
                var options = ChatCompletionsProvider.Options(key: chat.key, base: chat.address, model: chat.model)
                options.timeout = limit
                links.append(
                    FallbackChain.Link(
                        provider: ChatCompletionsProvider(options: options, http: http), model: chat.model,
                        timeLimit: limit))
                names.append("chat (\(chat.model))")
            }
        }
        models = names
        let prices: PriceTable
        do {
            prices = try settings.prices.map { file throws(PriceError) in try PriceTable(file: file) } ?? .standard
        } catch {
            throw ApplicationError("TANDEM_MODEL_PRICES: \(error.message)")
        }
        let budget = ModelBudget(
            stepsPerTurn: settings.stepsPerTurn, tokensPerTurn: settings.tokensPerTurn,
            requestsPerDay: settings.requestsPerDay, tokensPerDay: settings.tokensPerDay,
            microsPerDay: settings.microsPerDay, totalMicrosPerDay: settings.totalMicrosPerDay)
        let meter = StoredMeter(database: database, clock: clock, currency: prices.currency)
        embedder = ServiceEmbedder(
            configuration, http: http, meter: meter, budget: budget, prices: prices, metrics: metrics)
        if settings.microsPerDay != nil || settings.totalMicrosPerDay != nil {
            let used = links.map(\.model) + (embedder == nil ? [] : [settings.embeddings?.model].compactMap { $0 })
            for model in used where !prices.isListed(model) {
                Logger(label: "tandem.models").warning(
                    "a model has no price: budgets of money do not hold it", metadata: ["model": "\(model)"])
            }
        }
        guard !links.isEmpty else {
            // Nothing stands between a message and the planner.
            provider = EmbeddedLanguageProvider()
            prompts = .builtIn
            guard embedder == nil else {
                self.http = http
                return
            }
            self.http = nil
            Task { await http.shutdown() }
            return
        }
        self.http = http
        var options = FallbackChain.Options()
        do {
            prompts = try PromptLibrary(folder: settings.prompts)
            options.prompts = prompts
        } catch {
            throw ApplicationError("TANDEM_MODEL_PROMPTS: \(error.message)")
        }
        options.prices = prices
        options.budget = budget
        provider = FallbackChain(links: links, meter: meter, clock: clock, metrics: metrics, options: options)
    }

    func close() async { await http?.shutdown() }
}
