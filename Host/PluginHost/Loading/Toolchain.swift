import Glibc

/// Which compiler made the Swift code of this process, and whether a library fits it.
///
/// Swift promises no stable binary interface on Linux: code of another compiler in one process is a matter of luck. Such a
/// library runs in a process of its own instead, where it can harm only itself.
enum Toolchain {
    /// What the compiler of this host's Swift runtime says of itself; nil: it cannot be told.
    private static let own: String? =
        SwiftRuntime.folder.isEmpty
        ? nil : ELFImage.compilers(ofFile: SwiftRuntime.folder + "/libswiftCore.so").first(where: isSwifts)

    private static func isSwifts(_ compiler: String) -> Bool {
        compiler.contains("Swift version") || compiler.contains("clang version")
    }

    /// Why a library should not share the host's process; nil: it may, or holds no Swift code at all.
    static func mismatch(of image: ELFImage?) -> String? {
        guard let image, image.hasSwiftMetadata || image.needsSwiftRuntime, let own, !image.compilers.contains(own)
        else { return nil }
        let theirs = image.compilers.first(where: isSwifts).map { PlainText.sanitized(String($0.prefix(80))) }
        return
            "it was built with another Swift toolchain than this host (\(theirs ?? "it does not say which")): it runs "
            + "in a process of its own"
    }
}
