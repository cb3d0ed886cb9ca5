//! Traps that safe Rust refuses: they don't compile, so that there is nothing to measure.
//!
//! Each is written here as a Go developer would write it, and compiled when the documentation is tested: it must fail, and
//! fail with the code that stands beside it (`tests/prevented.rs` holds the compiler to that, for on a stable toolchain
//! rustdoc asks only whether it fails). The form that does compile stands behind it, so that it is the habit that is refused
//! and no slip of ours. What Go does in each case, and which claim that answers, is told in the book's chapter
//! *Prevented traps*.
//!
//! # A map that threads share without a lock
//!
//! Two threads that write to one map: a value can be borrowed mutably only once at a time.
//!
//! ```compile_fail,E0499
//! use std::collections::HashMap;
//! use std::thread;
//!
//! let mut hits: HashMap<&str, u64> = HashMap::new();
//! thread::scope(|scope| {
//!     scope.spawn(|| *hits.entry("/").or_default() += 1);
//!     scope.spawn(|| *hits.entry("/").or_default() += 1); // a second writer
//! });
//! ```
//!
//! One that writes while another reads is refused likewise.
//!
//! ```compile_fail,E0502
//! use std::collections::HashMap;
//! use std::thread;
//!
//! let mut hits: HashMap<&str, u64> = HashMap::new();
//! thread::scope(|scope| {
//!     scope.spawn(|| println!("{:?}", hits.get("/")));
//!     scope.spawn(|| hits.insert("/", 1)); // a writer beside the reader
//! });
//! ```
//!
//! Nor can the borrow be hidden: a cell that checks borrows when the program runs does it without synchronisation, and so
//! its type can't be shared between threads.
//!
//! ```compile_fail,E0277
//! use std::cell::RefCell;
//! use std::collections::HashMap;
//! use std::thread;
//!
//! let hits: RefCell<HashMap<&str, u64>> = RefCell::default();
//! thread::scope(|scope| {
//!     scope.spawn(|| *hits.borrow_mut().entry("/").or_default() += 1);
//! });
//! ```
//!
//! A lock compiles, and what it costs is measured: [`crate::traps::contended_map`].
//!
//! ```
//! use std::collections::HashMap;
//! use std::sync::Mutex;
//! use std::thread;
//!
//! let hits: Mutex<HashMap<&str, u64>> = Mutex::default();
//! thread::scope(|scope| {
//!     for _ in 0..2 {
//!         scope.spawn(|| *hits.lock().expect("nobody panics").entry("/").or_default() += 1);
//!     }
//! });
//! assert_eq!(hits.lock().expect("nobody panics")["/"], 2);
//! ```
//!
//! # A loop variable that threads share
//!
//! A thread that borrows the variable may outlive the turn of the loop that it belongs to.
//!
//! ```compile_fail,E0373
//! use std::thread;
//!
//! for id in 0..3 {
//!     thread::spawn(|| println!("worker {id}"));
//! }
//! ```
//!
//! And one variable for all turns, as it was in Go before 1.22, can't be counted up while a thread borrows it, also
//! where the threads end before it does.
//!
//! ```compile_fail,E0506
//! use std::thread;
//!
//! let mut id = 0;
//! thread::scope(|scope| {
//!     while id < 3 {
//!         scope.spawn(|| println!("worker {id}"));
//!         id += 1; // the thread may not have read it yet
//!     }
//! });
//! ```
//!
//! A closure that takes its own copy compiles.
//!
//! ```
//! use std::thread;
//!
//! let workers: Vec<_> = (0..3).map(|id| thread::spawn(move || id)).collect();
//! let ids: Vec<_> = workers.into_iter().map(|worker| worker.join().expect("nobody panics")).collect();
//! assert_eq!(ids, [0, 1, 2]);
//! ```
//!
//! # A pooled buffer that is used after it went back
//!
//! To give a buffer back is to move it, and what was moved is gone.
//!
//! ```compile_fail,E0382
//! let mut pool: Vec<Vec<u8>> = vec![Vec::with_capacity(4_096)];
//!
//! let mut buffer = pool.pop().unwrap_or_default();
//! buffer.extend_from_slice(b"the first customer's answer");
//! pool.push(buffer);
//! buffer.extend_from_slice(b", and a little more"); // it is the next customer's by now
//! ```
//!
//! A slice of it that somebody still holds keeps it from being moved.
//!
//! ```compile_fail,E0505
//! let mut pool: Vec<Vec<u8>> = vec![Vec::with_capacity(4_096)];
//!
//! let mut buffer = pool.pop().unwrap_or_default();
//! buffer.extend_from_slice(b"the first customer's answer");
//! let body: &[u8] = &buffer;
//! pool.push(buffer); // somebody still holds the body
//! println!("{}", body.len());
//! ```
//!
//! What is *not* refused: a buffer that comes back dirty. `clear` is left to whoever takes it, as in Go, and a test in
//! [`crate::traps::buffer_pool`] shows what happens without it.
//!
//! ```
//! let mut pool: Vec<Vec<u8>> = vec![b"the last customer's answer".to_vec()];
//!
//! let mut buffer = pool.pop().unwrap_or_default();
//! assert!(!buffer.is_empty(), "it compiles, and it is dirty");
//! buffer.clear();
//! buffer.extend_from_slice(b"the first customer's answer");
//! let sent = buffer.len();
//! pool.push(buffer);
//! assert_eq!((sent, pool.len()), (27, 1));
//! ```
