import CTandemPlugin
import Glibc
import TandemCore
import TandemJSON

/// `tandem.secret/1`: what somebody entered for the plugin, read within a call.
enum SecretExtension {
    static let table = StaticTable(
        tandem_secret(
            header: tandem_header(size: UInt32(MemoryLayout<tandem_secret>.size), flags: 0), get: secretGet,
            entered: secretEntered))

    static let maxNameBytes = 48
}

private func secretGet(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id, _ name: tandem_slice,
    _ context: UnsafeMutableRawPointer?, _ done: tandem_secret_done
) -> tandem_status {
    guard let back = BufferDone(context, done), let name = name.name(atMost: SecretExtension.maxNameBytes) else {
        return TANDEM_E_INVALID_ARGUMENT
    }
    switch ServiceRequest.begin(host, id, .secret) {
    case .failure(let error): return error.status
    case .success(let request):
        request.run(
            { () -> [UInt8] in
                guard let secret = request.plugin.manifest.secrets.first(where: { $0.name == name }),
                    let store = request.plugin.services.secrets
                else { throw ServiceFailure(TANDEM_E_UNSUPPORTED) }
                guard !request.instance.isWithheld(.secret, name) else { throw ServiceFailure(TANDEM_E_NOT_GRANTED) }
                guard let bytes = try await store.value(of: secret, in: request.place) else {
                    throw ServiceFailure(TANDEM_E_NOT_FOUND)
                }
                return bytes
            },
            deliver: { result in
                switch result {
                case .success(let bytes): back.done(back.context, TANDEM_OK, HostBuffer.makeSecret(bytes))
                case .failure(let failure): back.done(back.context, failure.status, tandem_buffer())
                }
            })
        return TANDEM_OK
    }
}

private func secretEntered(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id, _ context: UnsafeMutableRawPointer?,
    _ done: tandem_secret_done
) -> tandem_status {
    guard let back = BufferDone(context, done) else { return TANDEM_E_INVALID_ARGUMENT }
    switch ServiceRequest.begin(host, id, .secret) {
    case .failure(let error): return error.status
    case .success(let request):
        request.run(
            {
                let declared = request.plugin.manifest.secrets
                let entered = try await request.plugin.services.secrets?.entered(declared, in: request.place) ?? []
                var object: JSONObject = [:]
                for secret in declared { object[secret.name] = .bool(entered.contains(secret.name)) }
                return JSON.object(object)
            }, deliver: back.deliver)
        return TANDEM_OK
    }
}
