//! The Tandem plugin ABI for Rust, by hand and without crates: `abi` mirrors the C headers (PluginSDK/C/include/tandem),
//! the rest makes a plugin of a type that implements `Plugin`. Copy this file into your `src`; it needs Rust 1.63.
//!
//! SPDX-License-Identifier: Apache-2.0
//!
//! ```
//! mod tandem;
//! struct Hello;
//! impl tandem::Plugin for Hello {
//!     const MANIFEST: &'static str = include_str!("../manifest.json");
//!     fn new(_host: tandem::Host) -> Result<Self, tandem::Status> { Ok(Hello) }
//!     fn call(&self, call: &tandem::Call) -> tandem::Outcome { tandem::Outcome::message("Hello.") }
//! }
//! tandem::export!(Hello);
//! ```
#![allow(dead_code)]

use std::collections::VecDeque;
use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// The C headers, name for name. `Option` marks what may be null.
#[allow(non_camel_case_types)]
pub mod abi {
    use std::ffi::c_void;
    use std::os::raw::c_char;

    pub const ABI_MAJOR: u32 = 1;
    pub const ABI_MINOR: u32 = 0;
    pub const FLAGS_MUST_UNDERSTAND: u32 = 0xFFFF_0000;

    pub type tandem_status = i32;
    pub type tandem_call_id = u64;

    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct tandem_header {
        pub size: u32,
        pub flags: u32,
    }

    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct tandem_slice {
        pub ptr: *const u8,
        pub len: u64,
    }

    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct tandem_buffer {
        pub ptr: *const u8,
        pub len: u64,
        pub owner: *mut c_void,
        pub release: Option<unsafe extern "C" fn(owner: *mut c_void)>,
    }

    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct tandem_array {
        pub first: *const c_void,
        pub count: u64,
        pub stride: u64,
    }

    #[repr(C)]
    pub struct tandem_request {
        pub header: tandem_header,
        pub call: tandem_call_id,
        pub deadline_ns: u64,
        pub tool: tandem_slice,
        pub arguments: tandem_slice,
        pub trace_parent: tandem_slice,
        pub idempotency_key: tandem_slice,
        pub resume_state: tandem_slice,
        pub answers: tandem_slice,
    }

    #[repr(C)]
    pub struct tandem_outcome {
        pub header: tandem_header,
        pub kind: u32,
        pub status: tandem_status,
        pub trust: u32,
        pub reserved: u32,
        pub retry_after_ms: u64,
        pub value: tandem_buffer,
        pub message: tandem_buffer,
        pub shown: tandem_buffer,
        pub resume_state: tandem_buffer,
    }

    #[repr(C)]
    pub struct tandem_host {
        pub header: tandem_header,
        pub abi_major: u32,
        pub abi_minor: u32,
        pub context: *mut c_void,
        pub get_extension: unsafe extern "C" fn(host: *const tandem_host, id: *const c_char) -> *const c_void,
        pub complete: unsafe extern "C" fn(
            host: *const tandem_host,
            call: tandem_call_id,
            outcome: *const tandem_outcome,
        ) -> tandem_status,
        pub is_cancelled: unsafe extern "C" fn(host: *const tandem_host, call: tandem_call_id) -> i32,
        pub progress: unsafe extern "C" fn(
            host: *const tandem_host,
            call: tandem_call_id,
            permille: i32,
            note: tandem_slice,
        ) -> tandem_status,
    }

    #[repr(C)]
    pub struct tandem_instance {
        pub header: tandem_header,
        pub context: *mut c_void,
        pub activate: Option<unsafe extern "C" fn(instance: *mut tandem_instance) -> tandem_status>,
        pub invoke: Option<
            unsafe extern "C" fn(instance: *mut tandem_instance, request: *const tandem_request) -> tandem_status,
        >,
        pub cancel: Option<unsafe extern "C" fn(instance: *mut tandem_instance, call: tandem_call_id, reason: u32)>,
        pub quiesce: Option<unsafe extern "C" fn(instance: *mut tandem_instance) -> tandem_status>,
        pub destroy: Option<unsafe extern "C" fn(instance: *mut tandem_instance)>,
        pub get_extension:
            Option<unsafe extern "C" fn(instance: *mut tandem_instance, id: *const c_char) -> *const c_void>,
    }

    #[repr(C)]
    pub struct tandem_plugin {
        pub header: tandem_header,
        pub abi_major: u32,
        pub abi_minor: u32,
        pub abi_lowest_minor: u32,
        pub reserved: u32,
        pub context: *mut c_void,
        pub manifest: Option<unsafe extern "C" fn(plugin: *const tandem_plugin) -> tandem_slice>,
        pub create: Option<
            unsafe extern "C" fn(
                plugin: *const tandem_plugin,
                host: *const tandem_host,
                instance: *mut *mut tandem_instance,
            ) -> tandem_status,
        >,
    }
    /// Constant tables of functions: nothing in them changes.
    unsafe impl Sync for tandem_plugin {}

    #[repr(C)]
    pub struct tandem_clock {
        pub header: tandem_header,
        pub now_ms: unsafe extern "C" fn(host: *const tandem_host) -> i64,
        pub monotonic_ns: unsafe extern "C" fn(host: *const tandem_host) -> u64,
        pub utc_offset_at: unsafe extern "C" fn(host: *const tandem_host, unix_ms: i64) -> i32,
        pub locale: unsafe extern "C" fn(host: *const tandem_host, out: *mut tandem_buffer) -> tandem_status,
    }

    #[repr(C)]
    pub struct tandem_config {
        pub header: tandem_header,
        pub values: unsafe extern "C" fn(host: *const tandem_host, out: *mut tandem_buffer) -> tandem_status,
        pub generation: unsafe extern "C" fn(host: *const tandem_host) -> u64,
    }

    #[repr(C)]
    pub struct tandem_log {
        pub header: tandem_header,
        pub write: unsafe extern "C" fn(
            host: *const tandem_host,
            level: u32,
            call: tandem_call_id,
            message: tandem_slice,
            fields: tandem_slice,
        ) -> tandem_status,
    }

    pub type tandem_buffer_done =
        unsafe extern "C" fn(context: *mut c_void, status: tandem_status, result: tandem_buffer);

    #[repr(C)]
    pub struct tandem_rows {
        pub header: tandem_header,
        pub execute: unsafe extern "C" fn(
            host: *const tandem_host,
            call: tandem_call_id,
            operations: tandem_slice,
            context: *mut c_void,
            done: tandem_buffer_done,
        ) -> tandem_status,
    }

    pub type tandem_tools_done =
        unsafe extern "C" fn(context: *mut c_void, status: tandem_status, outcome: *const tandem_outcome);

    #[repr(C)]
    pub struct tandem_tools {
        pub header: tandem_header,
        pub call: unsafe extern "C" fn(
            host: *const tandem_host,
            call: tandem_call_id,
            tool: tandem_slice,
            arguments: tandem_slice,
            context: *mut c_void,
            done: tandem_tools_done,
        ) -> tandem_status,
        pub is_available: unsafe extern "C" fn(host: *const tandem_host, tool: tandem_slice) -> i32,
    }

    pub const KV_ANY_VERSION: u64 = u64::MAX;
    pub const KV_NO_VALUE: u64 = 0;

    #[repr(C)]
    pub struct tandem_kv_result {
        pub header: tandem_header,
        pub version: u64,
        pub expires_at_ms: i64,
        pub value: tandem_buffer,
    }

    pub type tandem_kv_done =
        unsafe extern "C" fn(context: *mut c_void, status: tandem_status, result: *const tandem_kv_result);

    #[repr(C)]
    pub struct tandem_kv {
        pub header: tandem_header,
        pub get: unsafe extern "C" fn(
            host: *const tandem_host,
            call: tandem_call_id,
            key: tandem_slice,
            context: *mut c_void,
            done: tandem_kv_done,
        ) -> tandem_status,
        pub set: unsafe extern "C" fn(
            host: *const tandem_host,
            call: tandem_call_id,
            key: tandem_slice,
            value: tandem_slice,
            expected: u64,
            ttl_ms: u64,
            context: *mut c_void,
            done: tandem_kv_done,
        ) -> tandem_status,
        pub remove: unsafe extern "C" fn(
            host: *const tandem_host,
            call: tandem_call_id,
            key: tandem_slice,
            expected: u64,
            context: *mut c_void,
            done: tandem_kv_done,
        ) -> tandem_status,
        pub list: unsafe extern "C" fn(
            host: *const tandem_host,
            call: tandem_call_id,
            prefix: tandem_slice,
            after: tandem_slice,
            limit: u32,
            context: *mut c_void,
            done: tandem_kv_done,
        ) -> tandem_status,
        pub usage: unsafe extern "C" fn(
            host: *const tandem_host,
            call: tandem_call_id,
            context: *mut c_void,
            done: tandem_kv_done,
        ) -> tandem_status,
    }

    /// `tandem.health/1`, `tandem.diagnostics/1`, `tandem.config-check/1` and `tandem.migrate/1` share one shape.
    #[repr(C)]
    pub struct tandem_side {
        pub header: tandem_header,
        pub run: Option<
            unsafe extern "C" fn(instance: *mut tandem_instance, request: *const tandem_request) -> tandem_status,
        >,
    }
    unsafe impl Sync for tandem_side {}

    // As the headers' static asserts say.
    const _: () = assert!(std::mem::size_of::<tandem_header>() == 8);
    const _: () = assert!(std::mem::size_of::<tandem_slice>() == 16);
    const _: () = assert!(std::mem::size_of::<tandem_buffer>() == 32);
    const _: () = assert!(std::mem::size_of::<tandem_array>() == 24);
    const _: () = assert!(std::mem::size_of::<tandem_request>() == 120);
    const _: () = assert!(std::mem::size_of::<tandem_outcome>() == 160);
    const _: () = assert!(std::mem::size_of::<tandem_host>() == 56);
    const _: () = assert!(std::mem::size_of::<tandem_instance>() == 64);
    const _: () = assert!(std::mem::size_of::<tandem_plugin>() == 48);
    const _: () = assert!(std::mem::size_of::<tandem_clock>() == 40);
    const _: () = assert!(std::mem::size_of::<tandem_config>() == 24);
    const _: () = assert!(std::mem::size_of::<tandem_log>() == 16);
    const _: () = assert!(std::mem::size_of::<tandem_rows>() == 16);
    const _: () = assert!(std::mem::size_of::<tandem_tools>() == 24);
    const _: () = assert!(std::mem::size_of::<tandem_kv>() == 48);
    const _: () = assert!(std::mem::size_of::<tandem_kv_result>() == 56);
    const _: () = assert!(std::mem::size_of::<tandem_side>() == 16);
}

use abi::*;

/// A status of the ABI (`tandem/base.h`): negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub i32);

impl Status {
    pub const INVALID_ARGUMENT: Status = Status(-1);
    pub const UNSUPPORTED: Status = Status(-2);
    pub const WRONG_STATE: Status = Status(-3);
    pub const STALE: Status = Status(-4);
    pub const SIZE_TOO_SMALL: Status = Status(-7);
    pub const NOT_FOUND: Status = Status(-8);
    pub const CONFLICT: Status = Status(-9);
    pub const NO_MEMORY: Status = Status(-20);
    pub const BUSY: Status = Status(-22);
    pub const CANCELLED: Status = Status(-24);
    pub const NOT_GRANTED: Status = Status(-40);
    pub const UNAVAILABLE: Status = Status(-62);
    pub const INTERNAL: Status = Status(-99);
}

/// A plugin for one person.
pub trait Plugin: Send + Sync + Sized + 'static {
    /// The manifest (docs/plugins/manifest.md), without what packaging adds.
    const MANIFEST: &'static str;
    /// True: calls run within `invoke`, on the host's thread. Only for what takes microseconds and asks the host for no
    /// rows or keys. False: on a thread of the instance's own, one after the other, where waiting is allowed.
    const INLINE: bool = false;

    /// Must not start threads, read the environment, touch the network or use the host's services.
    fn new(host: Host) -> Result<Self, Status>;
    /// Serves a call; a tool that it does not have is `Outcome::unsupported()`.
    fn call(&self, call: &Call) -> Outcome;
    /// `tandem.health/1`: how it is.
    fn health(&self, _call: &Call) -> json::Value {
        json::object(&[("status", json::text("ok"))])
    }
}

/// How a call ended.
pub struct Outcome {
    kind: u32,
    status: i32,
    trust: u32,
    retry_after_ms: u64,
    value: Vec<u8>,
    message: Vec<u8>,
    shown: Vec<u8>,
    resume_state: Vec<u8>,
}

impl Outcome {
    fn of(kind: u32, status: i32, value: Vec<u8>, message: &str) -> Outcome {
        let (shown, resume_state) = (Vec::new(), Vec::new());
        Outcome { kind, status, trust: 0, retry_after_ms: 0, value, message: message.into(), shown, resume_state }
    }

    /// Done: a value by the tool's result schema, and a line for the person.
    pub fn value(value: json::Value, message: &str) -> Outcome {
        Outcome::of(1, 0, value.to_string().into_bytes(), message)
    }

    /// Done, with nothing but a line for the person; the value is null.
    pub fn message(message: &str) -> Outcome {
        Outcome::value(json::Value::Null, message)
    }

    /// Not done: a stable code in lower case, and a line for the person.
    pub fn error(status: Status, code: &str, message: &str) -> Outcome {
        let detail = json::object(&[("code", json::text(code)), ("retryable", json::Value::Bool(false))]);
        Outcome::of(2, status.0, detail.to_string().into_bytes(), message)
    }

    /// The call was cancelled.
    pub fn cancelled() -> Outcome {
        Outcome::error(Status::CANCELLED, "cancelled", "That was stopped.")
    }

    pub fn unsupported() -> Outcome {
        Outcome::error(Status::UNSUPPORTED, "unknown_tool", "I cannot do that.")
    }

    /// A question; the call is made again with the answer in `Call::answer(field)`.
    pub fn question(field: &str, message: &str) -> Outcome {
        Outcome::of(3, 0, json::object(&[("field", json::text(field))]).to_string().into_bytes(), message)
    }

    /// What was shown, in order: `(type, id, label)`.
    pub fn showing(mut self, items: &[(&str, &str, &str)]) -> Outcome {
        let items = items
            .iter()
            .map(|(kind, id, label)| {
                json::object(&[("type", json::text(kind)), ("id", json::text(id)), ("label", json::text(label))])
            })
            .collect();
        self.shown = json::object(&[("items", json::Value::Array(items))]).to_string().into_bytes();
        self
    }
}

fn owned(bytes: Vec<u8>) -> tandem_buffer {
    unsafe extern "C" fn release(owner: *mut c_void) {
        drop(Box::from_raw(owner as *mut Vec<u8>));
    }
    if bytes.is_empty() {
        return tandem_buffer { ptr: std::ptr::null(), len: 0, owner: std::ptr::null_mut(), release: None };
    }
    let kept = Box::new(bytes);
    let (ptr, len) = (kept.as_ptr(), kept.len() as u64);
    tandem_buffer { ptr, len, owner: Box::into_raw(kept) as *mut c_void, release: Some(release) }
}

/// Bytes that a host gave: copied and released.
unsafe fn taken(buffer: tandem_buffer) -> Vec<u8> {
    let bytes = borrowed(tandem_slice { ptr: buffer.ptr, len: buffer.len }).to_vec();
    if let Some(release) = buffer.release {
        release(buffer.owner);
    }
    bytes
}

unsafe fn borrowed<'a>(slice: tandem_slice) -> &'a [u8] {
    if slice.ptr.is_null() {
        return &[];
    }
    std::slice::from_raw_parts(slice.ptr, slice.len as usize)
}

fn lent(bytes: &[u8]) -> tandem_slice {
    tandem_slice { ptr: bytes.as_ptr(), len: bytes.len() as u64 }
}

/// The host, for one person.
#[derive(Clone, Copy)]
pub struct Host(*const tandem_host);
// Every function of the table is [any].
unsafe impl Send for Host {}
unsafe impl Sync for Host {}

impl Host {
    /// The table of an extension; `id` ends with a NUL: `"tandem.rows/1\0"`.
    unsafe fn extension<T>(&self, id: &str) -> Option<&T> {
        let table = ((*self.0).get_extension)(self.0, id.as_ptr() as *const _) as *const T;
        // Every table begins with its size; one too short for us is as good as none.
        if table.is_null() || ((*(table as *const tandem_header)).size as usize) < std::mem::size_of::<T>() {
            return None;
        }
        Some(&*table)
    }

    /// Milliseconds since 1970, by the host's clock.
    pub fn now_ms(&self) -> i64 {
        unsafe { self.extension::<tandem_clock>("tandem.clock/1\0").map_or(0, |clock| (clock.now_ms)(self.0)) }
    }

    /// Seconds to add to UTC where the person lives, at that instant.
    pub fn utc_offset_seconds(&self, unix_ms: i64) -> i32 {
        unsafe {
            self.extension::<tandem_clock>("tandem.clock/1\0").map_or(0, |clock| (clock.utc_offset_at)(self.0, unix_ms))
        }
    }

    /// The settings, with defaults filled in.
    pub fn config(&self) -> json::Value {
        unsafe {
            let mut out = owned(Vec::new());
            match self.extension::<tandem_config>("tandem.config/1\0") {
                Some(config) if (config.values)(self.0, &mut out) == 0 => json::parse(&taken(out)),
                _ => None,
            }
        }
        .unwrap_or_else(|| json::object(&[]))
    }

    /// A constant message in the host's log. Nothing that a person wrote belongs in it.
    pub fn log(&self, message: &'static str) {
        unsafe {
            if let Some(log) = self.extension::<tandem_log>("tandem.log/1\0") {
                (log.write)(self.0, 2, 0, lent(message.as_bytes()), lent(b""));
            }
        }
    }
}

/// A call in flight. Its texts are copies: they may be kept.
pub struct Call {
    pub host: Host,
    id: tandem_call_id,
    pub tool: String,
    pub arguments: json::Value,
    pub answers: json::Value,
    pub idempotency_key: String,
}

struct Waiting<T> {
    answer: Mutex<Option<(i32, T)>>,
    changed: Condvar,
}

impl<T> Waiting<T> {
    fn new() -> Arc<Self> {
        Arc::new(Waiting { answer: Mutex::new(None), changed: Condvar::new() })
    }

    fn context(self: &Arc<Self>) -> *mut c_void {
        Arc::into_raw(self.clone()) as *mut c_void
    }

    /// Takes back what `context` gave away.
    unsafe fn from(context: *mut c_void) -> Arc<Self> {
        Arc::from_raw(context as *const Self)
    }

    fn set(&self, status: i32, value: T) {
        *lock(&self.answer) = Some((status, value));
        self.changed.notify_all();
    }

    /// `begun` is what the function returned: the callback follows only after 0.
    fn wait(self: Arc<Self>, begun: i32, context: *mut c_void) -> Result<T, Status> {
        if begun != 0 {
            drop(unsafe { Self::from(context) });
            return Err(Status(begun));
        }
        let mut answer = lock(&self.answer);
        loop {
            match answer.take() {
                Some((0, value)) => return Ok(value),
                Some((status, _)) => return Err(Status(status)),
                None => answer = self.changed.wait(answer).unwrap_or_else(|poisoned| poisoned.into_inner()),
            }
        }
    }
}

/// A panic while it was held harms nothing here: what it guards is replaced whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Call {
    /// An argument by name; null when it is missing.
    pub fn argument(&self, name: &str) -> &json::Value {
        self.arguments.get(name)
    }

    /// The answer to an earlier question.
    pub fn answer(&self, field: &str) -> Option<&json::Value> {
        match self.answers.get(field) {
            json::Value::Null => None,
            value => Some(value),
        }
    }

    /// The person no longer wants it, or the time is over: end the call.
    pub fn is_cancelled(&self) -> bool {
        unsafe { ((*self.host.0).is_cancelled)(self.host.0, self.id) != 0 }
    }

    /// Row operations (`tandem/ext/rows.h`), all or none; waits for the answer.
    pub fn rows(&self, operations: &json::Value) -> Result<json::Value, Status> {
        unsafe extern "C" fn done(context: *mut c_void, status: i32, result: tandem_buffer) {
            let bytes = taken(result);
            Waiting::<Vec<u8>>::from(context).set(status, bytes);
        }
        unsafe {
            let rows = self.host.extension::<tandem_rows>("tandem.rows/1\0").ok_or(Status::NOT_GRANTED)?;
            let text = operations.to_string();
            let waiting = Waiting::<Vec<u8>>::new();
            let context = waiting.context();
            let begun = (rows.execute)(self.host.0, self.id, lent(text.as_bytes()), context, done);
            json::parse(&waiting.wait(begun, context)?).ok_or(Status::INTERNAL)
        }
    }

    unsafe fn kv(&self) -> Result<&tandem_kv, Status> {
        self.host.extension::<tandem_kv>("tandem.kv/1\0").ok_or(Status::NOT_GRANTED)
    }

    /// A value of `tandem.kv/1`; none when there is none. Waits for the answer.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Status> {
        unsafe {
            let kv = self.kv()?;
            let waiting = Waiting::<Vec<u8>>::new();
            let context = waiting.context();
            let begun = (kv.get)(self.host.0, self.id, lent(key.as_bytes()), context, kv_done);
            match waiting.wait(begun, context) {
                Ok(value) => Ok(Some(value)),
                Err(Status::NOT_FOUND) => Ok(None),
                Err(status) => Err(status),
            }
        }
    }

    /// Writes a value of `tandem.kv/1`, whatever is there.
    pub fn set(&self, key: &str, value: &[u8]) -> Result<(), Status> {
        unsafe {
            let kv = self.kv()?;
            let waiting = Waiting::<Vec<u8>>::new();
            let context = waiting.context();
            let (key, value) = (lent(key.as_bytes()), lent(value));
            let begun = (kv.set)(self.host.0, self.id, key, value, KV_ANY_VERSION, 0, context, kv_done);
            waiting.wait(begun, context).map(|_| ())
        }
    }

    /// The keys of `tandem.kv/1` that start with a prefix, at most 1,000.
    pub fn keys(&self, prefix: &str) -> Result<Vec<String>, Status> {
        unsafe {
            let kv = self.kv()?;
            let waiting = Waiting::<Vec<u8>>::new();
            let context = waiting.context();
            let begun = (kv.list)(self.host.0, self.id, lent(prefix.as_bytes()), lent(b""), 1000, context, kv_done);
            let list = json::parse(&waiting.wait(begun, context)?).ok_or(Status::INTERNAL)?;
            Ok(list.get("entries").items().iter().filter_map(|entry| entry.get("key").as_str().map(String::from)).collect())
        }
    }
}

unsafe extern "C" fn kv_done(context: *mut c_void, status: i32, result: *const tandem_kv_result) {
    let value = if result.is_null() { Vec::new() } else { taken((*result).value) };
    Waiting::<Vec<u8>>::from(context).set(status, value);
}

// ---- One instance ----

enum Work {
    Call(Call),
    Health(Call),
}

struct Queue {
    waiting: VecDeque<Work>,
    /// Calls accepted and not completed.
    open: usize,
    is_ending: bool,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// What a thread and the instance share.
struct Shared<P> {
    plugin: P,
    host: Host,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[repr(C)]
struct Instance<P> {
    table: tandem_instance,
    shared: Arc<Shared<P>>,
}

impl<P: Plugin> Shared<P> {
    fn serve(&self, work: Work) {
        let (call, answer) = match &work {
            Work::Call(call) => (call, catch_unwind(AssertUnwindSafe(|| self.plugin.call(call)))),
            Work::Health(call) => {
                (call, catch_unwind(AssertUnwindSafe(|| Outcome::value(self.plugin.health(call), "")))) }
        };
        // No panic may leave a callback of the host.
        let outcome =
            answer.unwrap_or_else(|_| Outcome::error(Status::INTERNAL, "panicked", "That did not work, sorry."));
        let table = tandem_outcome {
            header: tandem_header { size: std::mem::size_of::<tandem_outcome>() as u32, flags: 0 },
            kind: outcome.kind,
            status: outcome.status,
            trust: outcome.trust,
            reserved: 0,
            retry_after_ms: outcome.retry_after_ms,
            value: owned(outcome.value),
            message: owned(outcome.message),
            shown: owned(outcome.shown),
            resume_state: owned(outcome.resume_state),
        };
        unsafe { ((*self.host.0).complete)(self.host.0, call.id, &table) };
        lock(&self.queue).open -= 1;
    }

    fn run(self: Arc<Self>) {
        loop {
            let mut queue = lock(&self.queue);
            let work = loop {
                if let Some(work) = queue.waiting.pop_front() {
                    break work;
                }
                if queue.is_ending {
                    return;
                }
                queue = self.changed.wait(queue).unwrap_or_else(|poisoned| poisoned.into_inner());
            };
            drop(queue);
            self.serve(work);
        }
    }

    fn accept(self: &Arc<Self>, work: Work) -> i32 {
        let mut queue = lock(&self.queue);
        queue.open += 1;
        if P::INLINE {
            drop(queue);
            self.serve(work);
            return 0;
        }
        if queue.thread.is_none() {
            let shared = self.clone();
            // With a size of its own: the standard library would look for one in the environment.
            let builder = std::thread::Builder::new().name("tandem-plugin".into()).stack_size(512 << 10);
            match builder.spawn(move || shared.run()) {
                Ok(thread) => queue.thread = Some(thread),
                Err(_) => {
                    queue.open -= 1;
                    return Status::NO_MEMORY.0;
                }
            }
        }
        queue.waiting.push_back(work);
        drop(queue);
        self.changed.notify_one();
        0
    }

    /// OK when no call is open; the thread has ended then.
    fn quiesce(&self) -> i32 {
        let mut queue = lock(&self.queue);
        if queue.open > 0 {
            return Status::BUSY.0;
        }
        queue.is_ending = true;
        let thread = queue.thread.take();
        drop(queue);
        self.changed.notify_all();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
        lock(&self.queue).is_ending = false;
        0
    }
}

unsafe fn shared<'a, P: Plugin>(instance: *mut tandem_instance) -> &'a Arc<Shared<P>> {
    &(*(instance as *mut Instance<P>)).shared
}

unsafe extern "C" fn activate<P: Plugin>(_instance: *mut tandem_instance) -> i32 {
    0
}

/// The request as a call; its texts are copied.
unsafe fn call_of(host: Host, request: *const tandem_request) -> Result<Call, Status> {
    if ((*request).header.size as usize) < std::mem::size_of::<tandem_request>() {
        return Err(Status::SIZE_TOO_SMALL);
    }
    let request = &*request;
    if request.header.flags & FLAGS_MUST_UNDERSTAND != 0 {
        return Err(Status::UNSUPPORTED);
    }
    let answers = borrowed(request.answers);
    let none = || json::object(&[]);
    Ok(Call {
        host,
        id: request.call,
        tool: String::from_utf8_lossy(borrowed(request.tool)).into_owned(),
        arguments: json::parse(borrowed(request.arguments)).ok_or(Status::INVALID_ARGUMENT)?,
        answers: if answers.is_empty() { none() } else { json::parse(answers).unwrap_or_else(none) },
        idempotency_key: String::from_utf8_lossy(borrowed(request.idempotency_key)).into_owned(),
    })
}

unsafe extern "C" fn invoke<P: Plugin>(instance: *mut tandem_instance, request: *const tandem_request) -> i32 {
    let shared = shared::<P>(instance);
    match catch_unwind(AssertUnwindSafe(|| call_of(shared.host, request).map(|call| shared.accept(Work::Call(call))))) {
        Ok(Ok(status)) => status,
        Ok(Err(status)) => status.0,
        Err(_) => Status::INTERNAL.0,
    }
}

unsafe extern "C" fn check_health<P: Plugin>(instance: *mut tandem_instance, request: *const tandem_request) -> i32 {
    let shared = shared::<P>(instance);
    match catch_unwind(AssertUnwindSafe(|| call_of(shared.host, request).map(|call| shared.accept(Work::Health(call))))) {
        Ok(Ok(status)) => status,
        Ok(Err(status)) => status.0,
        Err(_) => Status::INTERNAL.0,
    }
}

/// Nothing to do: `Call::is_cancelled` asks the host.
unsafe extern "C" fn cancel<P: Plugin>(_instance: *mut tandem_instance, _call: tandem_call_id, _reason: u32) {}

unsafe extern "C" fn quiesce<P: Plugin>(instance: *mut tandem_instance) -> i32 {
    let shared = shared::<P>(instance);
    catch_unwind(AssertUnwindSafe(|| shared.quiesce())).unwrap_or(Status::INTERNAL.0)
}

unsafe extern "C" fn destroy<P: Plugin>(instance: *mut tandem_instance) {
    let instance = Box::from_raw(instance as *mut Instance<P>);
    let _ = catch_unwind(AssertUnwindSafe(|| {
        instance.shared.quiesce();
        drop(instance);
    }));
}

unsafe extern "C" fn get_extension<P: Plugin>(
    _instance: *mut tandem_instance,
    id: *const std::os::raw::c_char,
) -> *const c_void {
    struct Side<P>(std::marker::PhantomData<P>);
    impl<P: Plugin> Side<P> {
        const HEALTH: tandem_side =
            tandem_side { header: tandem_header { size: 16, flags: 0 }, run: Some(check_health::<P>) };
    }
    if !id.is_null() && std::ffi::CStr::from_ptr(id).to_bytes() == b"tandem.health/1" {
        return &Side::<P>::HEALTH as *const tandem_side as *const c_void;
    }
    std::ptr::null()
}

/// For `export!`.
pub unsafe extern "C" fn manifest<P: Plugin>(_plugin: *const tandem_plugin) -> tandem_slice {
    lent(P::MANIFEST.as_bytes())
}

/// For `export!`.
pub unsafe extern "C" fn create<P: Plugin>(
    _plugin: *const tandem_plugin,
    host: *const tandem_host,
    out: *mut *mut tandem_instance,
) -> i32 {
    *out = std::ptr::null_mut();
    if ((*host).header.size as usize) < std::mem::size_of::<tandem_host>() {
        return Status::SIZE_TOO_SMALL.0;
    }
    let host = Host(host);
    let plugin = match catch_unwind(AssertUnwindSafe(|| P::new(host))) {
        Ok(Ok(plugin)) => plugin,
        Ok(Err(status)) => return status.0,
        Err(_) => return Status::INTERNAL.0,
    };
    let queue = Queue { waiting: VecDeque::new(), open: 0, is_ending: false, thread: None };
    let instance = Box::new(Instance {
        table: tandem_instance {
            header: tandem_header { size: std::mem::size_of::<tandem_instance>() as u32, flags: 0 },
            context: std::ptr::null_mut(),
            activate: Some(activate::<P>),
            invoke: Some(invoke::<P>),
            cancel: Some(cancel::<P>),
            quiesce: Some(quiesce::<P>),
            destroy: Some(destroy::<P>),
            get_extension: Some(get_extension::<P>),
        },
        shared: Arc::new(Shared { plugin, host, queue: Mutex::new(queue), changed: Condvar::new() }),
    });
    *out = Box::into_raw(instance) as *mut tandem_instance;
    0
}

/// Defines the entry point of the library for a type that implements `Plugin`.
macro_rules! export {
    ($plugin:ty) => {
        /// The only symbol of the library.
        #[no_mangle]
        pub extern "C" fn tandem_plugin_entry(host_major: u32, _host_minor: u32) -> *const $crate::tandem::abi::tandem_plugin {
            use $crate::tandem::abi::{tandem_header, tandem_plugin, ABI_MAJOR, ABI_MINOR};
            static PLUGIN: tandem_plugin = tandem_plugin {
                header: tandem_header { size: std::mem::size_of::<tandem_plugin>() as u32, flags: 0 },
                abi_major: ABI_MAJOR,
                abi_minor: ABI_MINOR,
                abi_lowest_minor: 0,
                reserved: 0,
                context: std::ptr::null_mut(),
                manifest: Some($crate::tandem::manifest::<$plugin>),
                create: Some($crate::tandem::create::<$plugin>),
            };
            if host_major == ABI_MAJOR { &PLUGIN } else { std::ptr::null() }
        }
    };
}
pub(crate) use export;

/// Just enough JSON (RFC 8259), without crates.
pub mod json {
    use std::fmt;

    #[derive(Clone, Debug, PartialEq)]
    pub enum Value {
        Null,
        Bool(bool),
        Number(f64),
        Text(String),
        Array(Vec<Value>),
        Object(Vec<(String, Value)>),
    }

    pub fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    pub fn number(number: f64) -> Value {
        Value::Number(number)
    }

    pub fn object(members: &[(&str, Value)]) -> Value {
        Value::Object(members.iter().map(|(name, value)| (name.to_string(), value.clone())).collect())
    }

    static NULL: Value = Value::Null;

    impl Value {
        /// A member; null when there is none.
        pub fn get(&self, name: &str) -> &Value {
            match self {
                Value::Object(members) => members.iter().find(|member| member.0 == name).map_or(&NULL, |member| &member.1),
                _ => &NULL,
            }
        }

        pub fn as_str(&self) -> Option<&str> {
            match self {
                Value::Text(text) => Some(text),
                _ => None,
            }
        }

        pub fn as_f64(&self) -> Option<f64> {
            match self {
                Value::Number(number) => Some(*number),
                _ => None,
            }
        }

        pub fn as_i64(&self) -> Option<i64> {
            self.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9e15).map(|number| number as i64)
        }

        pub fn as_bool(&self) -> Option<bool> {
            match self {
                Value::Bool(value) => Some(*value),
                _ => None,
            }
        }

        pub fn items(&self) -> &[Value] {
            match self {
                Value::Array(items) => items,
                _ => &[],
            }
        }
    }

    impl fmt::Display for Value {
        fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self {
                Value::Null => out.write_str("null"),
                Value::Bool(value) => write!(out, "{}", value),
                Value::Number(number) if number.is_finite() => write!(out, "{}", number),
                Value::Number(_) => out.write_str("null"),
                Value::Text(text) => quoted(out, text),
                Value::Array(items) => {
                    out.write_str("[")?;
                    for (index, item) in items.iter().enumerate() {
                        if index > 0 {
                            out.write_str(",")?;
                        }
                        write!(out, "{}", item)?;
                    }
                    out.write_str("]")
                }
                Value::Object(members) => {
                    out.write_str("{")?;
                    for (index, (name, value)) in members.iter().enumerate() {
                        if index > 0 {
                            out.write_str(",")?;
                        }
                        quoted(out, name)?;
                        write!(out, ":{}", value)?;
                    }
                    out.write_str("}")
                }
            }
        }
    }

    fn quoted(out: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
        out.write_str("\"")?;
        for c in text.chars() {
            match c {
                '"' => out.write_str("\\\"")?,
                '\\' => out.write_str("\\\\")?,
                c if (c as u32) < 0x20 => write!(out, "\\u{:04x}", c as u32)?,
                c => write!(out, "{}", c)?,
            }
        }
        out.write_str("\"")
    }

    /// None for anything that is not one JSON value, or is nested over 64 deep.
    pub fn parse(bytes: &[u8]) -> Option<Value> {
        let mut reader = Reader { text: std::str::from_utf8(bytes).ok()?, at: 0 };
        let value = reader.value(0)?;
        reader.space();
        if reader.at == reader.text.len() {
            Some(value)
        } else {
            None
        }
    }

    struct Reader<'a> {
        text: &'a str,
        at: usize,
    }

    impl<'a> Reader<'a> {
        fn peek(&self) -> Option<u8> {
            self.text.as_bytes().get(self.at).copied()
        }

        fn space(&mut self) {
            while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
                self.at += 1;
            }
        }

        fn take(&mut self, expected: &str) -> Option<()> {
            if self.text[self.at..].starts_with(expected) {
                self.at += expected.len();
                Some(())
            } else {
                None
            }
        }

        fn value(&mut self, depth: usize) -> Option<Value> {
            if depth > 64 {
                return None;
            }
            self.space();
            match self.peek()? {
                b'n' => self.take("null").map(|_| Value::Null),
                b't' => self.take("true").map(|_| Value::Bool(true)),
                b'f' => self.take("false").map(|_| Value::Bool(false)),
                b'"' => self.string().map(Value::Text),
                b'[' => {
                    self.at += 1;
                    let mut items = Vec::new();
                    self.space();
                    if self.take("]").is_some() {
                        return Some(Value::Array(items));
                    }
                    loop {
                        items.push(self.value(depth + 1)?);
                        self.space();
                        if self.take("]").is_some() {
                            return Some(Value::Array(items));
                        }
                        self.take(",")?;
                    }
                }
                b'{' => {
                    self.at += 1;
                    let mut members = Vec::new();
                    self.space();
                    if self.take("}").is_some() {
                        return Some(Value::Object(members));
                    }
                    loop {
                        self.space();
                        let name = self.string()?;
                        self.space();
                        self.take(":")?;
                        members.push((name, self.value(depth + 1)?));
                        self.space();
                        if self.take("}").is_some() {
                            return Some(Value::Object(members));
                        }
                        self.take(",")?;
                    }
                }
                _ => self.number(),
            }
        }

        fn number(&mut self) -> Option<Value> {
            let start = self.at;
            while matches!(self.peek(), Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) {
                self.at += 1;
            }
            // Rust reads more than JSON allows ("inf", "1."), but nothing that these characters could make wrong.
            let number: f64 = self.text[start..self.at].parse().ok()?;
            Some(Value::Number(number))
        }

        fn string(&mut self) -> Option<String> {
            self.take("\"")?;
            let mut out = String::new();
            loop {
                let rest = &self.text[self.at..];
                let c = rest.chars().next()?;
                self.at += c.len_utf8();
                match c {
                    '"' => return Some(out),
                    '\\' => {
                        let escape = self.peek()?;
                        self.at += 1;
                        out.push(match escape {
                            b'"' => '"',
                            b'\\' => '\\',
                            b'/' => '/',
                            b'b' => '\u{8}',
                            b'f' => '\u{c}',
                            b'n' => '\n',
                            b'r' => '\r',
                            b't' => '\t',
                            b'u' => self.unicode()?,
                            _ => return None,
                        });
                    }
                    c if (c as u32) < 0x20 => return None,
                    c => out.push(c),
                }
            }
        }

        fn unit(&mut self) -> Option<u32> {
            let digits = self.text.get(self.at..self.at + 4)?;
            self.at += 4;
            u32::from_str_radix(digits, 16).ok()
        }

        fn unicode(&mut self) -> Option<char> {
            let first = self.unit()?;
            if (0xD800..0xDC00).contains(&first) {
                self.take("\\u")?;
                let second = self.unit()?;
                if !(0xDC00..0xE000).contains(&second) {
                    return None;
                }
                return char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
            }
            char::from_u32(first)
        }
    }
}
