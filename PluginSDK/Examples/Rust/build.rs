fn main() {
    // Hosts never unmap a plugin; other tools that open it must not either.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
