import Logging
import TandemCore
import TandemEgress
import TandemEmbedding
import TandemLanguage
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
    let embedder: (any TextEmbedder)?
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
        embedder = ServiceEmbedder(configuration, http: http)
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
            if let file = settings.prices { options.prices = try PriceTable(file: file) }
        } catch let error as PromptError {
            throw ApplicationError("TANDEM_MODEL_PROMPTS: \(error.message)")
        } catch let error as PriceError {
            throw ApplicationError("TANDEM_MODEL_PRICES: \(error.message)")
        }
        options.budget = ModelBudget(
            stepsPerTurn: settings.stepsPerTurn, tokensPerTurn: settings.tokensPerTurn,
            requestsPerDay: settings.requestsPerDay, tokensPerDay: settings.tokensPerDay,
            microsPerDay: settings.microsPerDay, totalMicrosPerDay: settings.totalMicrosPerDay)
        if settings.microsPerDay != nil || settings.totalMicrosPerDay != nil {
            for link in links where !options.prices.isListed(link.model) {
                Logger(label: "tandem.models").warning(
                    "a model has no price: budgets of money do not hold it", metadata: ["model": "\(link.model)"])
            }
        }
        provider = FallbackChain(
            links: links, meter: StoredMeter(database: database, clock: clock, currency: options.prices.currency),
            clock: clock, metrics: metrics, options: options)
    }

    func close() async { await http?.shutdown() }
}
