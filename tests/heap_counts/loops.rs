//! Walks over maps, and clean-up in a loop.

use super::asked;
use dashmap::DashMap;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use trapline::traps::defer_in_loop::{
    Ledger, boxed_files, by_hand, deferred_boxed, deferred_guards, files_by_hand, files_in_list, guarded_files,
    in_registers, scoped_guard,
};
use trapline::traps::locked_iteration::{
    Indexed, Session, Sessions, clone_locked, hit_copying, walk_chunks, walk_chunks_barging, walk_locked, walk_shards,
    walk_snapshot,
};
use trapline::traps::map_iteration::hash_map;
use trapline::workload::OneState;

/// A table of 131 072 places, of 16 bytes and one control byte each and 16 more of these, holds 100 000 entries, and a tenth
/// of them when the others are gone. A walk asks for nothing.
pub(crate) fn a_table_keeps_its_size() {
    let live = || dhat::HeapStats::get().curr_bytes as u64;
    let places = |places: u64| 17 * places + 16;
    // libtest's own thread may allocate meanwhile, a little.
    let about = |live: u64, expected: u64, what: &str| assert!(live.abs_diff(expected) < 4_096, "{what}: {live} bytes");
    let before = live();
    let mut map: HashMap<u64, u64, OneState> = HashMap::default();
    map.extend((0..100_000).map(|key| (key, key)));
    about(live() - before, places(131_072), "full");
    map.retain(|key, _| key % 10 == 0);
    about(live() - before, places(131_072), "a tenth is left");
    map.shrink_to_fit();
    about(live() - before, places(16_384), "shrunk");
    assert_eq!(asked(|| hash_map(&map, |key, value| key ^ value)), (0, 0));
}

/// A list of elements of so many bytes that grows from four by doubling takes so many blocks and bytes.
fn list(len: u64, element: u64) -> (u64, u64) {
    let steps = u64::from(len.div_ceil(4).next_power_of_two().ilog2()) + 1;
    (steps, element * 4 * ((1 << steps) - 1))
}

/// A box of 16 bytes a turn, and the list of the boxes; of guards the list alone; of what ends with its turn nothing.
pub(crate) fn a_clean_up_that_is_put_off_is_a_block_a_turn() {
    for (n, steps) in [(4, 1), (5, 2), (100, 6), (10_000, 13), (100_000, 16)] {
        let (ledger, items) = (Ledger::default(), vec![7; n as usize]);
        let (blocks, bytes) = list(n, 16);
        assert_eq!(blocks, steps, "{n} turns");
        assert_eq!(asked(|| deferred_boxed(&ledger, &items, drop)), (n + blocks, 16 * n + bytes), "{n} turns");
        assert_eq!(asked(|| deferred_guards(&ledger, &items, drop)), (blocks, bytes), "{n} turns");
        assert_eq!(asked(|| scoped_guard(&ledger, &items, drop)), (0, 0), "{n} turns");
        assert_eq!(asked(|| by_hand(&ledger, &items, drop)), (0, 0), "{n} turns");
        assert_eq!(asked(|| in_registers(&items, drop)), (0, 0), "{n} turns");
    }
}

/// What a box holds of a file is its number. What the file itself costs the kernel is not on the heap.
pub(crate) fn a_file_that_is_kept_is_a_few_bytes() {
    let file = tempfile::NamedTempFile::new().expect("the temporary folder can be written to");
    std::fs::write(file.path(), b"0123456789").expect("ten bytes fit");
    let (path, items) = (file.path(), vec![7; 512]);
    let ((blocks, bytes), numbers) = (list(512, 16), list(512, 4));
    assert_eq!(asked(|| boxed_files(path, &items)), (512 + blocks, 4 * 512 + bytes));
    assert_eq!(asked(|| files_in_list(path, &items)), numbers);
    assert_eq!(asked(|| guarded_files(path, &items)), (0, 0));
    assert_eq!(asked(|| files_by_hand(path, &items)), (0, 0));
}

/// So many sessions that each own sixteen bytes.
fn sessions<M: FromIterator<(u64, Session)>>(n: u64) -> M {
    (0..n).map(|id| (id, Session { user: format!("{id:016x}").into(), expires: id, hits: 0 })).collect()
}

/// A copy of the map is a table and a block a session, wherever it is made: by a walker under the lock, or by the first write
/// beside one that walks a snapshot. Shards take a block each, for a guard that is counted. The other walks ask for nothing.
pub(crate) fn a_walk_that_copies_asks_for_every_session() {
    let look = |session: &Session| {
        black_box(session);
    };
    // 1 000 entries of 40 bytes are in 2 048 places, of 100 000 in 131 072.
    for (n, places) in [(1_000, 2_048), (100_000, 131_072)] {
        let copy = (n + 1, places * 41 + 16 + 16 * n);
        let map = Mutex::new(sessions::<Sessions>(n));
        assert_eq!(asked(|| clone_locked(&map, look)), copy, "{n} sessions");
        assert_eq!(asked(|| walk_locked(&map, look)), (0, 0), "{n} sessions");
        let shared = Mutex::new(Arc::new(map.into_inner()));
        assert_eq!(asked(|| walk_snapshot(&shared, look)), (0, 0), "{n} sessions");
        assert_eq!(asked(|| hit_copying(&shared, 7)), (0, 0), "nobody walks");
        let beside = || {
            let snapshot = Arc::clone(&shared.lock());
            hit_copying(&shared, 7);
            hit_copying(&shared, 8);
            snapshot
        };
        // The two counts of the new `Arc`, and the map's own 32 bytes, lie in a block of their own.
        let (blocks, bytes) = asked(beside);
        assert_eq!((blocks, bytes - copy.1), (copy.0 + 1, 16 + size_of::<Sessions>() as u64), "{n} sessions");
    }
    let chunked = Mutex::new(sessions::<Indexed>(1_000));
    assert_eq!(asked(|| walk_chunks(&chunked, look)), (0, 0));
    assert_eq!(asked(|| walk_chunks_barging(&chunked, look)), (0, 0));
    let mut sharded = DashMap::with_hasher_and_shard_amount(OneState::default(), 8);
    sharded.extend(sessions::<Vec<_>>(1_000));
    assert_eq!(asked(|| walk_shards(&sharded, look)).0, 8);
}
